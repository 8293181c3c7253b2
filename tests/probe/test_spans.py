"""Which requests leave spans, and what is in them."""

import time

import pytest

import dynoscope_probe
from dynoscope_probe.request import ERROR, OK, current_request
from tests.probe.reading import read_rings, records_in, spans_in
from tests.probe.test_middleware import call, respond

HIGH, LOW, CALLER = "0af7651916cd43dd", "8448eb211c80319c", "b7ad6b7169203331"


def traceparent(flags):
    return {"HTTP_TRACEPARENT": f"00-{HIGH}{LOW}-{CALLER}-{flags}"}


def calling(count):
    """An application that makes so many cache calls (noted, not made)."""

    def application(environ, start_response):
        for number in range(count):
            now_ns = time.perf_counter_ns()
            current_request().add_cache_call("cache get", now_ns, now_ns + 10 + number, OK)
        return respond(environ, start_response)

    return dynoscope_probe.wsgi(application)


def test_most_requests_leave_none(ring_dir):
    application = calling(2)
    for _ in range(20):
        call(application)
    assert len(records_in(ring_dir)) == 20
    assert {record["trace_sampled"] for _, record in records_in(ring_dir)} == {0}
    assert spans_in(ring_dir) == []


def test_the_callers_sampled_trace_is_kept(ring_dir):
    call(calling(2), **traceparent("01"))
    call(calling(2), **traceparent("00"))
    (_, record), _ = records_in(ring_dir)
    (kind, name, root), *calls = spans_in(ring_dir)
    assert (kind, name) == ("request", "GET (unmatched)")
    assert (root["trace_id_high"], root["trace_id_low"]) == (int(HIGH, 16), int(LOW, 16))
    assert (root["parent_id"], root["status"], root["outcome"]) == (int(CALLER, 16), 200, OK)
    assert root["span_id"] == record["span_id"] > 0
    assert (root["started_ns"], root["wall_ns"]) == (record["started_ns"], record["wall_ns"])
    assert [(kind, name) for kind, name, _ in calls] == [("cache", "cache get")] * 2
    assert {span["parent_id"] for _, _, span in calls} == {root["span_id"]}
    assert len({span["span_id"] for _, _, span in calls} | {root["span_id"], 0}) == 4
    assert [span["wall_ns"] for _, _, span in calls] == [10, 11]
    for _, _, span in calls:
        assert root["started_ns"] <= span["started_ns"] <= root["started_ns"] + root["wall_ns"]


def test_a_share_of_new_traces_is_kept(ring_dir, monkeypatch):
    monkeypatch.setenv("DYNOSCOPE_SPAN_RATE", "0.5")
    application = calling(0)
    for _ in range(400):
        call(application)
    sampled = [record["span_id"] for _, record in records_in(ring_dir) if record["trace_sampled"]]
    assert 120 < len(sampled) < 280
    assert sampled == [span["span_id"] for _, _, span in spans_in(ring_dir)]


@pytest.mark.parametrize("raises", [True, False])
def test_every_request_that_ends_in_an_error_is_kept(ring_dir, raises):
    def failing(environ, start_response):
        if raises:
            raise ValueError("no")
        start_response("503 Service Unavailable", [])
        return [b""]

    application = dynoscope_probe.wsgi(failing)
    if raises:
        with pytest.raises(ValueError, match="no"):
            call(application)
    else:
        call(application)
    ((kind, _, span),) = spans_in(ring_dir)
    assert (kind, span["outcome"], span["status"]) == ("request", ERROR, 0 if raises else 503)


def test_every_slow_request_is_kept(ring_dir, monkeypatch):
    monkeypatch.setenv("DYNOSCOPE_SPAN_SLOW_MS", "20")

    def sometimes_slow(environ, start_response):
        if environ["PATH_INFO"] == "/slow":
            time.sleep(0.03)
        return respond(environ, start_response)

    application = dynoscope_probe.wsgi(sometimes_slow)
    for path in ("/quick", "/slow", "/quick"):
        call(application, path=path)
    ((_, _, span),) = spans_in(ring_dir)
    assert span["wall_ns"] > 20e6


def test_at_most_64_spans_a_request_and_the_rest_is_counted(ring_dir):
    application = calling(100)
    call(application, **traceparent("01"))
    call(application, **traceparent("00"))
    assert len(spans_in(ring_dir)) == 64
    (ring,) = read_rings(ring_dir)
    assert ring.counters["spans_over"] == 37
    assert [record["cache_calls"] for record in ring.records] == [100, 100]


def test_djangos_statements_and_cache_calls(ring_dir):
    from tests.probe.apps import django_app

    application = dynoscope_probe.wsgi(django_app.application)
    for path in ("/database/", "/cached/"):
        call(application, path=path, **traceparent("01"))
    spans = spans_in(ring_dir)
    assert [(kind, name) for kind, name, _ in spans] == [
        ("request", "GET /database/"),
        *[("db", "SELECT ? WHERE ? IN (?...)")] * 3,
        ("db", "SELECT ?, ?"),
        ("request", "GET /cached/"),
        ("cache", "cache set"),
        ("cache", "cache get_or_set"),
        ("cache", "cache get"),
    ]
    for (_, _, root), calls in ((spans[0], spans[1:5]), (spans[5], spans[6:])):
        assert {span["parent_id"] for _, _, span in calls} == {root["span_id"]}
        assert {span["endpoint_id"] for _, _, span in calls} == {root["endpoint_id"]}
        assert sum(span["wall_ns"] for _, _, span in calls) < root["wall_ns"]


def test_a_child_forked_within_a_request_writes_no_spans(ring_dir):
    import os

    def forking(environ, start_response):
        child = os.fork()
        if child == 0:
            current_request().end(ERROR)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        return respond(environ, start_response)

    call(dynoscope_probe.wsgi(forking), **traceparent("00"))
    assert spans_in(ring_dir) == []
