"""Questions at the same time, each with its own answer or error."""

import threading

import pytest

from alerting.later import Later


def test_questions_do_not_wait_for_each_other() -> None:
    both = threading.Barrier(2)

    def ask(number: int) -> int:
        both.wait(60)
        return number

    first, second = Later(lambda: ask(1)), Later(lambda: ask(2))
    assert (second.value(), first.value(), first.value()) == (2, 1, 1)


def test_an_error_is_raised_where_the_answer_is_wanted() -> None:
    def fail() -> int:
        raise KeyError("gone")

    one = Later(fail)
    for _ in range(2):
        with pytest.raises(KeyError, match="gone"):
            one.value()
