"""PUT /v1/batches/<batch_id>?table=NAME: checked whole, stored whole and once, or refused."""

import threading
import time
from collections.abc import Callable

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from collector.access import refusal
from collector.batches import LIMITS, check_batch
from collector.errors import Refused
from collector.meters import Meters
from collector.store.errors import StoreError
from collector.store.store import BATCH_ID, Store
from collector.tokens import Tokens
from profiler.vocabulary import SENT

__all__ = ["ingest_routes"]

RETRY_AFTER_S = 2
#: A sender waits this long for a free slot before it is sent away.
WAIT_S = 1.0


def ingest_routes(
    store: Store, tokens: Tokens, meters: Meters, clock: Callable[[], float], slots: int
) -> Blueprint:
    """At most `slots` batches are checked and inserted at once; others wait, then get 503."""
    routes = Blueprint("ingest", __name__)
    free = threading.BoundedSemaphore(slots)

    @routes.put("/v1/batches/<batch_id>")
    def put_batch(batch_id: str) -> ResponseReturnValue:
        if refused := refusal(request, (tokens.ingest,), (tokens.read, tokens.admin)):
            meters.rejected.labels("token").inc()
            return refused
        try:
            table = _checked_address(batch_id)
            body = _body()
        except Refused as error:
            return _refuse(error)
        if not free.acquire(timeout=WAIT_S):
            meters.limit_hit("batches_at_once")
            return _later("busy", "The collector is busy: send the batch again later.")
        try:
            return _store(batch_id, table, body)
        finally:
            free.release()

    def _store(batch_id: str, table: str, body: bytes) -> ResponseReturnValue:
        try:
            rows = check_batch(table, body, int(clock() * 1000))
        except Refused as error:
            return _refuse(error)
        started_s = time.perf_counter()
        try:
            store.insert(table, rows, batch_id)
            meters.store_limits(store, clock)
        except StoreError as error:
            return _later("store", str(error))
        meters.insert_seconds.observe(time.perf_counter() - started_s)
        meters.batches.labels(table).inc()
        meters.rows.labels(table).inc(rows.num_rows)
        if request.headers.get("X-Dynoscope-Attempt", "1") != "1":
            meters.repeats.labels(table).inc()
        return Response(status=204)

    def _refuse(error: Refused) -> ResponseReturnValue:
        meters.rejected.labels(error.why).inc()
        return jsonify(error=str(error)), error.status

    def _later(why: str, sentence: str) -> ResponseReturnValue:
        meters.rejected.labels(why).inc()
        return jsonify(error=sentence), 503, {"Retry-After": str(RETRY_AFTER_S)}

    return routes


def _checked_address(batch_id: str) -> str:
    if not BATCH_ID.fullmatch(batch_id):
        raise Refused(400, "address", "The batch id is not 1 to 128 of 0-9 A-Z a-z _ . -")
    table = request.args.get("table", "")
    if table not in SENT:
        sentence = f"Table {table!r} takes no batches: use one of {', '.join(SENT)}."
        raise Refused(400, "address", sentence)
    return table


def _body() -> bytes:
    length = request.content_length
    if length is not None and length > LIMITS.body_bytes:
        raise Refused(413, "body", f"The body is larger than {LIMITS.body_bytes:,} bytes.")
    return request.get_data(cache=False)
