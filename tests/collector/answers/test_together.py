"""Questions at the same time: answers in their order, errors as they are."""

import threading

import pytest

from collector.answers.together import together


def test_answers_come_in_the_order_of_the_questions_and_at_the_same_time():
    met = threading.Barrier(3, timeout=30)

    def ask(what):
        met.wait()  # passes only if three are asked at once
        return what

    assert together(*(lambda n=n: ask(n) for n in range(3))) == (0, 1, 2)
    assert together(lambda: "one") == ("one",)


def test_what_a_question_raises_is_raised():
    def fail():
        raise ValueError("no answer")

    with pytest.raises(ValueError, match="no answer"):
        together(lambda: 1, fail)
