"""One trace: its spans in order, once each, bounded; and over the read API."""

import pytest

from collector.answers import traces
from collector.answers.traces import trace
from collector.errors import BadQuestion
from tests.collector import rows
from tests.collector.rows import START_MS

TRACE, OTHER = "ab" * 16, "cd" * 16
EVIL = "SELECT '<script>alert(1)</script>'"


@pytest.fixture(scope="module", autouse=True)
def filled(store):
    spans = rows.span_rows(TRACE, 4)
    store.insert("spans", spans, "s1")
    store.insert("spans", spans, "s1-sent-again")
    evil = rows.span_rows(OTHER, 0)
    at = evil.column_names.index("name")
    store.insert("spans", evil.set_column(at, "name", [[EVIL]]), "s2")
    store.insert("limits", rows.limit_rows("details_dropped", 3), "l1")


def test_spans_come_in_order_of_time_and_once(store):
    answer = trace(store, TRACE.upper())
    assert (answer.unit, answer.truncated, answer.as_of_ms) == ("ns", False, START_MS + 5)
    found = answer.data
    assert (found.trace_id, found.started_ms, found.wall_ns) == (TRACE, START_MS, 5_000_000)
    assert [span.offset_ns for span in found.spans] == [n * 1_000_000 for n in range(5)]
    root, *calls = found.spans
    assert (root.kind, root.parent_id, root.status, root.wall_ns) == ("request", "", 200, 5_000_000)
    assert {(call.kind, call.parent_id) for call in calls} == {("db", root.span_id)}
    assert {(span.service, span.host, span.release) for span in found.spans} == {
        (rows.SERVICE, "web-1", "r1")
    }
    assert [(limit.what, limit.count) for limit in answer.limits] == [("details_dropped", 3)]


def test_a_trace_without_kept_spans_is_empty(store):
    answer = trace(store, "0" * 32)
    assert (answer.data.spans, answer.data.started_ms, answer.as_of_ms) == ((), 0, 0)


@pytest.mark.parametrize("text", ["", "ab", "g" * 32, TRACE + "\n", "' OR 1=1 --", "ab" * 17])
def test_what_is_no_trace_id_is_told(store, text):
    with pytest.raises(BadQuestion, match="is no trace id: it has 32 hex digits"):
        trace(store, text)


def test_a_long_trace_is_cut_and_says_so(store, monkeypatch):
    monkeypatch.setattr(traces, "SPANS_MAX", 3)
    answer = trace(store, TRACE)
    assert (len(answer.data.spans), answer.truncated) == (3, True)


def test_over_the_read_api(site):
    answer = site.client.get(f"/v1/traces/{TRACE}", headers=site.bearer("read"))
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert len(answer.json["data"]["spans"]) == 5
    evil = site.client.get(f"/v1/traces/{OTHER}", headers=site.bearer("read"))
    assert evil.json["data"]["spans"][0]["name"] == EVIL
    bad = site.client.get("/v1/traces/<script>", headers=site.bearer("read"))
    assert (bad.status_code, bad.mimetype) == (400, "application/json")


@pytest.mark.parametrize("kind", ["ingest", "admin"])
def test_only_the_read_token_opens_it(site, kind):
    assert site.client.get(f"/v1/traces/{TRACE}").status_code == 401
    assert site.client.get(f"/v1/traces/{TRACE}", headers=site.bearer(kind)).status_code == 403
