"""PUT or POST /v1/otlp/v1/traces: OTLP/HTTP traces fill `spans`. Only where `serve --otlp` says so.

An export is stored once, however often it is sent: the batch id is made of its bytes.
"""

import zlib
from collections.abc import Callable, Mapping
from hashlib import sha256

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from collector.access import refusal
from collector.batches import FUTURE_MS, check_rows
from collector.errors import Refused
from collector.meters import Meters
from collector.retention import accepted_days
from collector.room import Room
from collector.spans import span_rows
from collector.store.errors import StoreError
from collector.store.store import Store
from collector.tokens import Tokens
from profiler.vocabulary import DAY_MS, ROWS_MAX

__all__ = ["PATH", "otlp_routes"]

PATH = "/v1/otlp/v1/traces"
PROTOBUF = "application/x-protobuf"
BODY_BYTES_MAX = 4_000_000
UNPACKED_BYTES_MAX = 16_000_000
#: A message takes about ten times its bytes once it is read.
READ_FACTOR = 10
SLOTS = 2
RETRY_AFTER = {"Retry-After": "2"}


def otlp_routes(
    store: Store,
    tokens: Tokens,
    meters: Meters,
    clock: Callable[[], float],
    keep: Mapping[str, int],
) -> Blueprint:
    """The route; needs the ingest token."""
    routes = Blueprint("otlp", __name__)
    room = Room(SLOTS, SLOTS * READ_FACTOR * UNPACKED_BYTES_MAX)

    @routes.route(PATH, methods=["PUT", "POST"])
    def traces() -> ResponseReturnValue:
        if refused := refusal(request, (tokens.ingest,), (tokens.read, tokens.admin)):
            meters.rejected.labels("token").inc()
            return refused
        try:
            if request.mimetype != PROTOBUF:
                raise Refused(415, "type", f"Send {PROTOBUF}: other encodings are not read.")
            if (request.content_length or 0) > BODY_BYTES_MAX:
                raise Refused(413, "body", f"The body is larger than {BODY_BYTES_MAX:,} bytes.")
            with room.place(READ_FACTOR * UNPACKED_BYTES_MAX):
                return _store(_unpacked(request.get_data(cache=False)))
        except Refused as error:
            meters.rejected.labels(error.why).inc()
            later = RETRY_AFTER if error.status in (429, 503) else {}
            return jsonify(error=str(error)), error.status, later

    def _store(body: bytes) -> ResponseReturnValue:
        now_ms, days = int(clock() * 1000), accepted_days("spans", keep)
        taken = span_rows(_parsed(body).resource_spans, now_ms - days * DAY_MS, now_ms + FUTURE_MS)
        digest = sha256(body).hexdigest()
        for day, rows in taken.days.items():
            check_rows("spans", rows, now_ms, days)
            try:
                store.insert("spans", rows, f"otlp-{digest}-{day}", attempt=2)
            except StoreError as error:
                raise Refused(503, "store", str(error)) from error
            meters.rows.labels("spans").inc(rows.num_rows)
        answer = ExportTraceServiceResponse()
        if taken.impossible:
            meters.limit_hit("otlp_spans_rejected")
            answer.partial_success.rejected_spans = taken.impossible
            answer.partial_success.error_message = (
                f"ids or times that cannot be, or older than {days} days"
            )
        return Response(answer.SerializeToString(), mimetype=PROTOBUF)

    return routes


def _unpacked(body: bytes) -> bytes:
    """Without gzip, never more than UNPACKED_BYTES_MAX."""
    coding = request.headers.get("Content-Encoding", "identity").lower()
    if coding == "identity":
        return body
    if coding != "gzip":
        raise Refused(415, "type", f"The encoding {coding[:20]!r} is not read: send gzip or none.")
    unpack = zlib.decompressobj(wbits=31)
    try:
        whole = unpack.decompress(body, UNPACKED_BYTES_MAX + 1)
    except zlib.error as error:
        raise Refused(400, "not_gzip", f"The body is not gzip: {error}.") from error
    if len(whole) > UNPACKED_BYTES_MAX:
        sentence = f"The body unpacks to more than {UNPACKED_BYTES_MAX:,} bytes: send less at once."
        raise Refused(413, "unpacked", sentence)
    if not unpack.eof:
        raise Refused(400, "not_gzip", "The body is not gzip: its end is missing.")
    return whole


def _parsed(body: bytes) -> ExportTraceServiceRequest:
    try:
        export = ExportTraceServiceRequest()
        export.ParseFromString(body)
    except DecodeError as error:
        raise Refused(400, "not_otlp", f"The body is no OTLP trace export: {error}.") from error
    spans = sum(len(scope.spans) for part in export.resource_spans for scope in part.scope_spans)
    if spans > ROWS_MAX:
        raise Refused(413, "rows", f"The export has more than {ROWS_MAX:,} spans: send less.")
    return export
