"""The past of a rule of new errors, beside the rule itself at the same moments."""

import uuid

import numpy as np

from alerting.new_errors import check_new_errors
from alerting.past_errors import counts_at, histories, past_of_errors
from alerting.rules import NewErrorRule
from alerting.walk import would_fire
from collector.store.error_reads import error_counts, error_minutes
from collector.store.slo_reads import first_by_service
from collector.store.store import Store
from tests.alerting.traffic import MINUTE_MS, START_MS, put_requests
from tests.collector.rows import table_of

RULE = NewErrorRule("new-error", "", 3_600, 600, 10, 1, "ticket", 600)
MINUTES = 240


def put_errors(stored: Store, service: str) -> None:
    """One from the start on, whose number jumps; one that is new at the third hour."""
    rng = np.random.default_rng(2)
    put_requests(stored, start_ms=START_MS, span_ms=MINUTE_MS, n=10, service=service)
    old = START_MS + rng.integers(0, MINUTES * MINUTE_MS, 60)
    jump = START_MS + 200 * MINUTE_MS + rng.integers(0, 5 * MINUTE_MS, 90)
    new = START_MS + rng.integers(130 * MINUTE_MS, MINUTES * MINUTE_MS, 12)
    for error_fp, times in ((7, old), (7, jump), (8, new)):
        n = len(times)
        rows = table_of(
            "errors", n, ts_ms=np.sort(times), host="web-1", service=service, error_fp=error_fp,
            type="ValueError", message="bad", top_frames=[["a:b"]] * n, release="r1",
            endpoint="GET /", trace_id="ab" * 16,
        )  # fmt: skip
        stored.insert("errors", rows, uuid.uuid4().hex)


def test_the_same_as_the_rule_minute_by_minute(stored: Store) -> None:
    put_errors(stored, "shop")
    known = first_by_service(stored)
    end_ms = START_MS + MINUTES * MINUTE_MS
    times = range(START_MS + MINUTE_MS, end_ms + 1, MINUTE_MS)
    expected = would_fire(
        lambda now_ms, _: check_new_errors(stored, RULE, now_ms, known, ""), times
    )
    found = past_of_errors(stored, RULE, START_MS, end_ms)
    assert [(one.started_ms, one.ended_ms) for one in found] == [
        (one.started_ms, one.ended_ms) for one in expected
    ]
    assert {one.what.partition("release")[0] for one in found} == {
        f"error ValueError {7:016x}",
        f"error ValueError {8:016x}",
    }


def test_counts_are_those_of_the_store(stored: Store) -> None:
    put_errors(stored, "counted")
    known = histories(error_minutes(stored, to_ms=2**42, service="counted"))
    for minutes in (135, 203, 239):
        to_ms = START_MS + minutes * MINUTE_MS
        expected = error_counts(stored, to_ms=to_ms, length_ms=10 * MINUTE_MS, service="counted")
        found = {one.error_fp: counts_at(one, to_ms // MINUTE_MS, 10) for one in known}
        for one in expected:
            mine = found[one.error_fp]
            assert (mine.now, mine.before, mine.all, mine.first_ms) == (
                one.now,
                one.before,
                one.all,
                one.first_ms,
            )
        assert expected
