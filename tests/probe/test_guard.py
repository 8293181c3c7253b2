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
    guard.count_errors_with(lambda: 1 // 0)
    guard.reraise_with(None)
    guard.swallowed()


def test_the_fixture_re_raises():
    with pytest.raises(KeyError):
        try:
            raise KeyError
        except KeyError:
            guard.swallowed()
