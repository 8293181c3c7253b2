"""POST /v1/otlp/v1/traces: a real OpenTelemetry SDK, hand-made exports, and what is refused."""

import gzip
import threading
from collections.abc import Iterator

import pytest
import waitress
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from collector.answers.traces import trace
from collector.app import create_app
from collector.otlp import PATH
from collector.questions import questions
from collector.tokens import Tokens
from tests.collector.conftest import NOW_S, Site
from tests.collector.rows import START_MS
from tests.collector.test_openapi import is_as_documented

START_NS = START_MS * 1_000_000
DAY_NS = 86_400_000_000_000
PROTOBUF = "application/x-protobuf"
TOKENS = Tokens(ingest="ingest-token-0123456789", read="read-token-0123456789", admin="a" * 30)


@pytest.fixture(scope="module")
def open_site(store):
    return Site(create_app(store, TOKENS, clock=lambda: NOW_S, otlp=True), TOKENS)


@pytest.fixture(scope="module")
def served(store) -> Iterator[str]:
    """A real server with the real time."""
    app = create_app(store, TOKENS, otlp=True)
    server = waitress.create_server(
        app, host="127.0.0.1", port=0, threads=4, asyncore_use_poll=True
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    yield f"http://127.0.0.1:{server.effective_port}"
    server.close()
    thread.join(30)


def count(store) -> int:
    return int(store._engine.select("SELECT count() AS n FROM spans", {})["n"][0].as_py())


@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip])
def test_a_real_sdk_fills_a_trace(store, served, compression):
    resource = {"service.name": "shop", "service.version": "r7", "host.name": "web-9"}
    provider = TracerProvider(resource=Resource.create(resource))
    exporter = OTLPSpanExporter(
        f"{served}{PATH}",
        headers={"Authorization": f"Bearer {TOKENS.ingest}"},
        compression=compression,
    )
    memory = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(memory))
    tracer = provider.get_tracer("test")
    request = {"http.request.method": "GET", "http.route": "/feed/<id>/"}
    with tracer.start_as_current_span("GET", kind=SpanKind.SERVER, attributes=request) as top:
        top.set_attribute("http.response.status_code", 503)
        top.set_status(StatusCode.ERROR)
        with tracer.start_as_current_span("rank"):
            words = {"db.system.name": "postgresql"}
            with tracer.start_as_current_span("SELECT media", attributes=words):
                pass
        redis = {"db.system": "redis"}
        with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT, attributes=redis):
            pass
        with tracer.start_as_current_span("POST", kind=SpanKind.CLIENT):
            pass
    before, kept = count(store), memory.get_finished_spans()
    assert exporter.export(kept) is SpanExportResult.SUCCESS
    assert exporter.export(kept) is SpanExportResult.SUCCESS, "sent again"
    assert count(store) == before + 4
    exporter.shutdown()
    found = trace(store, f"{top.get_span_context().trace_id:032x}").data
    first, *calls = found.spans
    assert (first.kind, first.name, first.endpoint) == ("request", "GET /feed/<id>/", first.name)
    assert (first.status, first.outcome, first.parent_id) == (503, "error", "")
    assert (first.service, first.host, first.release) == ("shop", "web-9", "r7")
    assert [(one.kind, one.name) for one in calls] == [
        ("db", "SELECT media"), ("cache", "GET"), ("rpc", "POST"),
    ]  # fmt: skip
    assert {one.parent_id for one in calls} == {first.span_id}, "what was inside is left out"
    assert {one.endpoint for one in calls} == {"GET /feed/<id>/"}
    assert found.wall_ns >= max(one.wall_ns for one in calls)


def test_a_real_sdk_is_told_when_it_may_not(served):
    exporter = OTLPSpanExporter(f"{served}{PATH}", headers={"Authorization": "Bearer wrong"})
    span = TracerProvider().get_tracer("test").start_span("x")
    span.end()
    assert exporter.export([span]) is SpanExportResult.FAILURE
    exporter.shutdown()


def export(*spans: dict) -> bytes:
    whole = ExportTraceServiceRequest()
    scope = whole.resource_spans.add().scope_spans.add()
    for at, words in enumerate(spans):
        usual = {
            "trace_id": b"t" * 16, "span_id": at.to_bytes(8, "big"), "name": "work",
            "kind": Span.SPAN_KIND_SERVER, "start_time_unix_nano": START_NS,
            "end_time_unix_nano": START_NS + 1_000,
        }  # fmt: skip
        scope.spans.add(**(usual | words))
    return bytes(whole.SerializeToString())


def post(site, body, kind="ingest", method="POST", **headers):
    given = {"Content-Type": PROTOBUF, **site.bearer(kind), **headers}
    return site.client.open(PATH, method=method, data=body, headers=given)


def rejected(answer) -> int:
    assert answer.status_code == 200
    assert answer.mimetype == PROTOBUF
    told = ExportTraceServiceResponse.FromString(answer.data)
    return int(told.partial_success.rejected_spans)


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_an_export_over_midnight_is_stored_by_day(open_site, store, method):
    next_day = {"start_time_unix_nano": START_NS + DAY_NS // 2 + 1}
    next_day["end_time_unix_nano"] = next_day["start_time_unix_nano"]
    before = count(store)
    body = export({"name": method}, {"name": method, **next_day})
    assert rejected(post(open_site, body, method=method)) == 0
    assert count(store) == before + 2


@pytest.mark.parametrize(
    "words",
    [
        {"trace_id": b""}, {"trace_id": b"x" * 15}, {"span_id": b""}, {"parent_span_id": b"1234"},
        {"end_time_unix_nano": START_NS - 1}, {"start_time_unix_nano": 0},
        {"start_time_unix_nano": START_NS - 8 * DAY_NS},
        {"start_time_unix_nano": START_NS + 2 * DAY_NS, "end_time_unix_nano": 2**64 - 1},
    ],
    ids=str,
)  # fmt: skip
def test_spans_that_cannot_be_are_told_and_the_others_stored(open_site, store, words):
    before = count(store)
    answer = post(open_site, export({"name": str(words)}, words))
    assert rejected(answer) == 1
    assert count(store) == before + 1


def test_spans_that_are_their_own_parents_end(open_site):
    one, two = (7).to_bytes(8, "big"), (8).to_bytes(8, "big")
    circle = {"kind": Span.SPAN_KIND_INTERNAL}
    body = export(
        {"span_id": one, "parent_span_id": two, **circle},
        {"span_id": two, "parent_span_id": one, **circle},
        {"parent_span_id": one, "kind": Span.SPAN_KIND_CLIENT},
    )
    assert rejected(post(open_site, body)) == 0


REFUSED = {
    "junk": (b"\xff\xff", {}, 400, "no OTLP trace export"),
    "json": (b"{}", {"Content-Type": "application/json"}, 415, "Send application/x-protobuf"),
    "brotli": (export(), {"Content-Encoding": "br"}, 415, "'br' is not read"),
    "no gzip": (export(), {"Content-Encoding": "gzip"}, 400, "not gzip"),
    "cut": (gzip.compress(b"x" * 99)[:-9], {"Content-Encoding": "gzip"}, 400, "its end is missing"),
    "bomb": (
        gzip.compress(b"\0" * 90_000_000),
        {"Content-Encoding": "gzip"},
        413,
        "unpacks to more",
    ),
    "large": (b"\0" * 4_000_001, {}, 413, "larger than"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_and_why(open_site, store, name):
    body, headers, status, sentence = REFUSED[name]
    before = count(store)
    answer = post(open_site, body, **headers)
    assert (answer.status_code, count(store)) == (status, before)
    assert sentence in answer.json["error"]


def test_the_document_knows_it_where_it_is_served(open_site, site):
    api = open_site.client.get("/openapi.json").json
    assert set(api["paths"][PATH]) == {"put", "post"}
    for kind in ("ingest", "read"):
        is_as_documented(api, api["paths"][PATH]["post"], post(open_site, export(), kind))
    assert PATH not in site.client.get("/openapi.json").json["paths"]
    assert post(site, export()).status_code in (404, 405)
    assert len(api["paths"]) > len(questions())


BODIES = st.binary(max_size=300) | st.builds(
    lambda at, byte: (
        (body := bytearray(export({"name": "fuzz"}, {})))[: at % len(body)]
        + bytes([byte])
        + body[at % len(body) + 1 :]
    ),
    st.integers(0, 10_000),
    st.integers(0, 255),
).map(bytes)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(BODIES, st.sampled_from(["identity", "gzip"]))
def test_anything_at_all_is_stored_or_refused_with_a_reason(open_site, body, coding):
    answer = post(open_site, body, **{"Content-Encoding": coding})
    assert answer.status_code in (200, 400), answer.text
    assert answer.status_code == 200 or len(answer.json["error"]) > 20
