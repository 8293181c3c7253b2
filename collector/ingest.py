"""PUT /v1/batches/<batch_id>?table=NAME: checked whole, stored whole and once, or refused."""

import time
from collections.abc import Callable, Mapping

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from collector.access import refusal
from collector.arrow_stream import read_stream
from collector.batches import LIMITS, check_times
from collector.errors import Refused
from collector.intake import Intake
from collector.meters import Meters
from collector.retention import accepted_days
from collector.room import Place, Room
from collector.store.errors import StoreError
from collector.store.extents import Batch
from collector.store.store import BATCH_ID, Store
from collector.tokens import Tokens
from profiler.vocabulary import SENT
from profiler.wire import SCHEMAS

__all__ = ["ingest_routes"]

RETRY_AFTER_S = 2
#: The engine's connections must also do for questions.
INSERTS_AT_ONCE = 4
LATER = (429, 503)
#: Refusals that are limits of the collector itself, by their name in `limits`.
LIMITS_HIT = {"busy": "batches_at_once", "queue": "batches_waiting", "body": "body_bytes",
              "unpacked": "unpacked_bytes"}  # fmt: skip
#: Of all batches under way. From the check to the store's last copy a row is held about ten times
#: (measured: 100 MB of rows in the embedded store add 940 MB to the process).
BYTES_MAX = 1_000_000_000
COPIES = 10


def ingest_routes(
    store: Store,
    tokens: Tokens,
    meters: Meters,
    clock: Callable[[], float],
    slots: int,
    keep: Mapping[str, int],
) -> Blueprint:
    """At most `slots` batches are under way, in few inserts; a few more wait, then get 503, the
    others 429.

    `keep`: how many days each table is kept; rows that are older are refused.
    """
    routes = Blueprint("ingest", __name__)
    room = Room(slots, BYTES_MAX)
    intake = Intake(store, meters, INSERTS_AT_ONCE)

    @routes.put("/v1/batches/<batch_id>")
    def put_batch(batch_id: str) -> ResponseReturnValue:
        if refused := refusal(request, (tokens.ingest,), (tokens.read, tokens.admin)):
            meters.rejected.labels("token").inc()
            return refused
        try:
            table = _checked_address(batch_id)
            with room.place(_body_bytes()) as place:
                return _store(batch_id, table, place)
        except Refused as error:
            return _refuse(error)

    def _store(batch_id: str, table: str, place: Place) -> ResponseReturnValue:
        body = request.get_data(cache=False)
        rows = read_stream(body, SCHEMAS[table], LIMITS, lambda n: place.hold(COPIES * n))
        repeated = request.headers.get("X-Dynoscope-Attempt", "1") != "1"
        started_s = time.perf_counter()
        try:
            if rows.num_rows:
                check_times(rows, int(clock() * 1000), accepted_days(table, keep))
                intake.take(table, Batch(batch_id, rows, repeated))
                store.arrivals.note(table)
            meters.store_limits(store, clock)
        except StoreError as error:
            raise Refused(503, "store", str(error)) from error
        meters.insert_seconds.observe(time.perf_counter() - started_s)
        meters.batches.labels(table).inc()
        meters.rows.labels(table).inc(rows.num_rows)
        if repeated:
            meters.repeats.labels(table).inc()
        return Response(status=204)

    def _refuse(error: Refused) -> ResponseReturnValue:
        meters.rejected.labels(error.why).inc()
        if error.why in LIMITS_HIT:
            meters.limit_hit(LIMITS_HIT[error.why])
        later = {"Retry-After": str(RETRY_AFTER_S)} if error.status in LATER else {}
        return jsonify(error=str(error)), error.status, later

    return routes


def _checked_address(batch_id: str) -> str:
    if not BATCH_ID.fullmatch(batch_id):
        raise Refused(400, "address", "The batch id is not 1 to 128 of 0-9 A-Z a-z _ . -")
    table = request.args.get("table", "")
    if table not in SENT:
        sentence = f"Table {table!r} takes no batches: use one of {', '.join(SENT)}."
        raise Refused(400, "address", sentence)
    return table


def _body_bytes() -> int:
    """The size of the body, before it is read; without a Content-Length the most it may have."""
    length = request.content_length
    if length is not None and length > LIMITS.body_bytes:
        raise Refused(413, "body", f"The body is larger than {LIMITS.body_bytes:,} bytes.")
    return LIMITS.body_bytes if length is None else length
