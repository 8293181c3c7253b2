"""A diagnosis that fails or hangs holds no alert back; what it has found by then is said."""

import threading
from collections.abc import Iterator

from alerting.cause import Cause
from alerting.diagnosis import Patience, in_time
from collector.store.slo_reads import BadPart

WORST = (BadPart("r2", "eu", "GET /", 10, 5, 0),)


def test_the_last_word_counts() -> None:
    look = [Cause(worst=WORST), Cause(worst=WORST, error="all")]
    assert in_time(lambda: iter(look), 60) == look[-1]
    assert in_time(lambda: iter(()), 60) == Cause()


def test_of_a_diagnosis_that_hangs_what_it_found_is_said() -> None:
    release = threading.Event()

    def hang() -> Iterator[Cause]:
        yield Cause(worst=WORST)
        release.wait(60)

    try:
        found = in_time(hang, 0.5)
        assert found == Cause(worst=WORST, error="the diagnosis took longer than 0.5 s")
    finally:
        release.set()


def test_a_diagnosis_that_fails_says_so() -> None:
    def fail() -> Iterator[Cause]:
        yield Cause(worst=WORST)
        raise ZeroDivisionError("by nought")

    assert in_time(fail, 60) == Cause(worst=WORST, error="ZeroDivisionError: by nought")


def test_all_alerts_of_a_look_share_one_limit() -> None:
    now_s = 0.0
    given = []

    def look(limit_s: float) -> Cause:
        nonlocal now_s
        given.append(limit_s)
        now_s += 3
        return Cause()

    patience = Patience(5.0, lambda: now_s)
    errors = [patience.spend(look).error for _ in range(4)]
    assert given == [5.0, 2.0]
    assert errors[:2] == ["", ""]
    assert all("other alerts" in error for error in errors[2:])
