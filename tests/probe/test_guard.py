import pytest

from dynoscope_probe import guard


def test_swallowed_errors_are_counted_and_re_raised_only_on_request():
    counted = []
    guard.count_errors_with(lambda: counted.append(1))
    guard.reraise_with(None)
    try:
        raise ValueError
    except ValueError:
        guard.swallowed()
    assert counted == [1]


def test_a_count_that_fails_is_no_trouble():
    counted = []

    def count():
        counted.append(1)
        raise ZeroDivisionError

    guard.count_errors_with(count)
    guard.reraise_with(None)
    for _ in range(2):
        try:
            raise ValueError("the application's own")
        except ValueError as error:
            guard.swallowed()
            assert error.args == ("the application's own",)
    assert counted == [1, 1]


def test_the_fixture_re_raises():
    with pytest.raises(KeyError):
        try:
            raise KeyError
        except KeyError:
            guard.swallowed()
