"""Which requests leave spans, and what is in them."""

import asyncio
import http.client
import time

import pytest
import sqlalchemy

import dynoscope_probe
from dynoscope_probe.calls import timed_async_cache_call, timed_cache_call
from dynoscope_probe.outgoing import OutgoingCall
from dynoscope_probe.request import ERROR, OK, current_request
from tests.probe.answering import serving
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


def parents(ring_dir):
    """Name of each span -> name of the span that it is in."""
    spans = spans_in(ring_dir)
    by_id = {span["span_id"]: name for _, name, span in spans}
    assert len(by_id) == len(spans)
    return {name: by_id.get(span["parent_id"], "") for _, name, span in spans}


def nesting(work):
    """Run `work` within a request whose spans are kept."""

    def application(environ, start_response):
        work()
        return respond(environ, start_response)

    call(dynoscope_probe.wsgi(application), **traceparent("01"))


ROOT = "GET (unmatched)"


def test_a_call_that_is_made_by_a_call_is_within_it(ring_dir):
    """A statement's own function asks the cache, which asks a database; then all is as before."""
    database = sqlalchemy.create_engine("sqlite://", poolclass=sqlalchemy.pool.StaticPool)
    inner = sqlalchemy.create_engine("sqlite://", poolclass=sqlalchemy.pool.StaticPool)

    def statement(engine, text):
        with engine.connect() as connection:
            connection.execute(sqlalchemy.text(text)).fetchall()

    cached = timed_cache_call(lambda: statement(inner, "SELECT 'inner'"), "cache get")

    @sqlalchemy.event.listens_for(database, "connect")
    def add_function(connection, _):
        connection.create_function("cached", 0, lambda: (cached(), cached())[0])

    def work():
        statement(database, "SELECT cached()")
        timed_cache_call(lambda: cached(), "cache set")()

    nesting(work)
    spans = spans_in(ring_dir)
    (root, outer, first, in_first, second, in_second, last, in_last) = (
        span for _, _, span in spans
    )
    assert [name for _, name, _ in spans][1:] == [
        "SELECT cached()", *["cache get", "SELECT ?"] * 2, "cache set", "SELECT ?",
    ]  # fmt: skip
    for span, parent in (
        (outer, root), (first, outer), (in_first, first), (second, outer), (in_second, second),
        (last, root), (in_last, last),
    ):  # fmt: skip
        assert span["parent_id"] == parent["span_id"]
    (record,) = [record for _, record in records_in(ring_dir)]
    assert (record["db_calls"], record["cache_calls"]) == (4, 3)
    database.dispose()
    inner.dispose()


def test_a_body_that_is_made_while_it_is_sent_is_within_the_outgoing_call(ring_dir):
    cached = timed_cache_call(lambda: b"part", "cache get")

    with serving() as target:

        def work():
            connection = http.client.HTTPConnection(target.name)
            body = (cached() for _ in range(2))
            connection.request("POST", "/", body, {"Content-Length": "8"})
            connection.getresponse().read()
            connection.close()
            timed_cache_call(lambda: b"", "cache set")()

        nesting(work)
    sent = f"POST {target.name}"
    assert parents(ring_dir) == {ROOT: "", sent: ROOT, "cache get": sent, "cache set": ROOT}


def test_outgoing_calls_that_overlap_are_not_within_each_other(ring_dir):
    with serving() as first, serving() as second:

        def work():
            connections = [http.client.HTTPConnection(one.name) for one in (first, second)]
            for connection in connections:
                connection.request("GET", "/")
            for connection in connections:
                connection.getresponse().read()
                connection.close()

        nesting(work)
    assert parents(ring_dir) == {ROOT: "", f"GET {first.name}": ROOT, f"GET {second.name}": ROOT}


def test_an_outgoing_call_without_an_answer_holds_nothing(ring_dir):
    """It is not written, so what came after it is in the request."""
    kept = []
    with serving() as target:

        def work():
            kept.append(http.client.HTTPConnection(target.name))
            kept[0].request("GET", "/")
            timed_cache_call(lambda: b"", "cache set")()

        nesting(work)
        assert parents(ring_dir) == {ROOT: "", "cache set": ROOT}
        nesting(lambda: timed_cache_call(lambda: b"", "cache get")())
        assert parents(ring_dir)["cache get"] == ROOT
        kept[0].close()


def test_calls_of_tasks_that_take_turns_are_apart(ring_dir):
    """One lasts longer than the other and holds it in time, not in truth."""
    inside = asyncio.Event()

    async def long():
        inner = timed_async_cache_call(answered, "cache inner")
        inside.set()
        await asyncio.sleep(0.01)
        await inner()

    async def answered():
        return None

    async def short():
        await inside.wait()

    async def outgoing():
        call = OutgoingCall(current_request(), "GET long", time.perf_counter_ns())
        await long()
        call.end(OK)

    async def both():
        await asyncio.gather(outgoing(), timed_async_cache_call(short, "cache short")())

    nesting(lambda: asyncio.run(both()))
    assert parents(ring_dir) == {
        ROOT: "", "GET long": ROOT, "cache short": ROOT, "cache inner": "GET long",
    }  # fmt: skip


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
