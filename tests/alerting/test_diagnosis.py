"""A diagnosis that fails or hangs holds no alert back."""

import threading

from alerting.cause import Cause
from alerting.diagnosis import in_time


def test_what_is_found_in_time() -> None:
    assert in_time(lambda: Cause(error="all"), 60) == Cause(error="all")


def test_a_diagnosis_that_hangs_is_left_behind() -> None:
    release = threading.Event()

    def hang() -> Cause:
        release.wait(60)
        return Cause()

    try:
        assert in_time(hang, 0.05).error == "the diagnosis took longer than 0.05 s"
    finally:
        release.set()


def test_a_diagnosis_that_fails_says_so() -> None:
    def fail() -> Cause:
        raise ZeroDivisionError("by nought")

    assert in_time(fail, 60).error == "ZeroDivisionError: by nought"
