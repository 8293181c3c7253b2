"""Errors that nobody has seen before, or far more often than ever."""

import uuid

import pytest

from alerting.new_errors import check_new_errors
from alerting.rules import NewErrorRule
from collector.answers.errors import errors
from collector.answers.records import Window
from collector.store.store import Store
from tests.collector.rows import START_MS, table_of

RULE = NewErrorRule("new-error", "", 3_600, 600, 10, 1, "ticket", 600)
HOUR_MS = 3_600_000


def put(
    stored: Store, service: str, fingerprint: int, ts_ms: int, n: int, **changes: object
) -> None:
    columns = {
        "type": "ValueError", "message": "bad cursor", "top_frames": [["feed.views:feed"]] * n,
        "release": "r2", "endpoint": "GET /feed/", "trace_id": "ab" * 16, **changes,
    }  # fmt: skip
    rows = table_of(
        "errors", n, ts_ms=[ts_ms + i for i in range(n)], host="web-1", service=service,
        error_fp=fingerprint, **columns,
    )  # fmt: skip
    stored.insert("errors", rows, uuid.uuid4().hex)


def found(stored: Store, service: str, to_ms: int, known_ms: int = START_MS) -> list[str]:
    check = check_new_errors(stored, RULE, to_ms, {service: known_ms}, "http://x")
    return [f.details["why"] for f in check.findings if f.labels["service"] == service]


def test_a_new_one_is_told_with_where_it_comes_from(stored: Store) -> None:
    at_ms = START_MS + 2 * HOUR_MS
    put(stored, "new", 5, at_ms, 3)
    check = check_new_errors(stored, RULE, at_ms + 60_000, {"new": START_MS}, "http://x")
    (finding,) = [f for f in check.findings if f.labels["service"] == "new"]
    assert finding.labels == {"service": "new", "error": f"{5:016x}", "release": "r2"}
    for words in ("ValueError: bad cursor", "3 times", "feed.views:feed", "GET /feed/", "r2"):
        assert words in finding.summary
    assert finding.links["trace"].endswith("/v1/traces/" + "ab" * 16)
    assert found(stored, "new", at_ms + 11 * 60_000) == []  # no news any more


def test_in_its_first_hour_a_service_has_no_new_errors(stored: Store) -> None:
    put(stored, "young", 5, START_MS + HOUR_MS - 60_000, 3)
    assert found(stored, "young", START_MS + HOUR_MS - 1) == []
    assert found(stored, "young", START_MS + HOUR_MS + 1) == []  # it came while we learnt
    put(stored, "young", 6, START_MS + HOUR_MS + 60_000, 1)
    assert found(stored, "young", START_MS + HOUR_MS + 90_000) == ["new"]
    assert found(stored, "young", START_MS + HOUR_MS + 90_000, START_MS + 120_000) == []


@pytest.mark.parametrize(("events", "why"), [(19, []), (20, ["jump"])])
def test_a_jump_takes_ten_times_the_most_that_ever_was(
    stored: Store, events: int, why: list[str]
) -> None:
    service = f"jumps-{events}"
    put(stored, service, 7, START_MS, 2)
    put(stored, service, 7, START_MS + 3 * HOUR_MS, events)
    assert found(stored, service, START_MS + 3 * HOUR_MS + 60_000) == why


def test_the_answer_groups_by_fingerprint(stored: Store) -> None:
    put(stored, "shown", 9, START_MS, 2)
    put(stored, "shown", 9, START_MS + HOUR_MS, 3, release="r3", endpoint="GET /b/", message="new")
    put(stored, "shown", 10, START_MS + HOUR_MS, 1, type="KeyError", trace_id="0" * 32)
    answer = errors(stored, Window(START_MS + HOUR_MS, START_MS + 2 * HOUR_MS), "shown")
    first, second = answer.data
    assert (first.error, first.events, first.is_new) == (f"{9:016x}", 3, False)
    assert (first.first_ms, first.message, first.releases) == (START_MS, "new", ("r3",))
    assert (second.type, second.is_new, second.trace_id) == ("KeyError", True, "")
    whole = errors(stored, Window(0, START_MS + 2 * HOUR_MS), "shown").data[0]
    assert (whole.events, whole.releases, whole.endpoints) == (
        5, ("r2", "r3"), ("GET /b/", "GET /feed/"),
    )  # fmt: skip
