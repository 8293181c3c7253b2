"""One worker's ring -> tables, losses and the new cursor; nothing is settled here."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from agent.columns import timely
from agent.details import detail_tables
from agent.limits import Key
from agent.requests import (
    Identity,
    Served,
    error_table,
    killed_records,
    request_table,
    statement_table,
    statement_texts,
)
from agent.seen import Seen
from agent.slots import Rows
from agent.spool import Cursor
from agent.workers import Worker
from dynoscope_probe import layout

__all__ = ["Drained", "drained", "request_tables"]

#: A ring's own counters that say what was lost.
LOSSES = tuple(
    name
    for name in layout.COUNTER_NAMES
    if name not in ("written", "strings_used", "details_written")
)
LOSS_PLAUSIBLE_MAX = 1 << 40


@dataclass(slots=True)
class Drained:
    """What a ring gave: records, and in `tables` all else. `statements`: fingerprints whose text
    is in `tables`."""

    cursor: Cursor
    served: Served
    tables: list[tuple[str, pa.Table]] = field(default_factory=list)
    losses: Counter[Key] = field(default_factory=Counter)
    statements: list[int] = field(default_factory=list)


def drained(worker: Worker, before: Cursor, who: Identity, seen: Seen, now_ns: int) -> Drained:
    """All that is new in a ring; of a dead worker also what was in flight."""
    ring = worker.ring
    counters = ring.counters()
    drain = ring.drain(before.seq, counters["written"], alive=worker.alive)
    details = ring.drain_details(before.details, counters["details_written"], alive=worker.alive)
    ring.read_strings(ring.counters()["strings_used"])
    records = drain.records
    # A cursor beyond what was written: an earlier flush has reported what was in flight.
    if not worker.alive and drain.cursor <= counters["written"]:
        records = np.concatenate([records, _killed(worker, drain.cursor)])
    lost = {name: counters[name] for name in LOSSES} | {"strings_torn": ring.strings_torn}
    right = timely(records, now_ns)
    cursor = Cursor(max(drain.cursor, _newest(records)), lost, details.cursor)
    out = Drained(cursor, Served(ring, records[right], who, worker.pid))
    for name, count in lost.items():
        rise = count - before.counters.get(name, 0)
        if 0 < rise < LOSS_PLAUSIBLE_MAX:
            out.losses[who.service, "agent" if name == "strings_torn" else "probe", name] += rise
    tables, wrong = detail_tables(ring, details.records, who, now_ns)
    for what, count in (
        ("records_dropped", drain.dropped),
        ("records_torn", drain.torn),
        ("records_with_wrong_time", int(np.count_nonzero(~right))),
        ("details_dropped", details.dropped),
        ("details_torn", details.torn),
        ("details_not_understood", wrong),
    ):
        out.losses[who.service, "agent", what] += count
    _add_texts(out, seen, now_ns // 1_000_000)
    out.tables += tables
    return out


def request_tables(served: Mapping[int, Served]) -> tuple[list[pa.Table], dict[int, Exception]]:
    """Tables `requests` of these rings, and which of them meet a fault of ours.

    One table of all; only where that fails one of each, to tell whose fault it is.
    """
    some = {ring_id: part for ring_id, part in served.items() if len(part.records)}
    try:
        return [request_table(list(some.values()))] if some else [], {}
    except Exception:
        tables, failed = [], {}
        for ring_id, part in some.items():
            try:
                tables.append(request_table([part]))
            except Exception as error:
                failed[ring_id] = error
        return tables, failed


def _killed(worker: Worker, after_seq: int) -> Rows:
    """What was in flight when the worker died, and did not get its record after all."""
    ring = worker.ring
    lost = [one for one in ring.in_flight() if not ring.has_record(one.slot, one.started_ns)]
    return killed_records(lost, after_seq, worker.last_alive_ns)


def _add_texts(out: Drained, seen: Seen, now_ms: int) -> None:
    """Statements and errors that the records name."""
    ring, records, who = out.served.ring, out.served.records, out.served.identity
    texts = statement_texts(ring, records)
    out.statements = seen.fresh(list(texts), now_ms)
    if out.statements:
        fresh = {key: texts[key] for key in out.statements}
        out.tables.append(("statements", statement_table(fresh, who, now_ms)))
    if records["error_id"].any():
        errors, left_out = error_table(ring, records, who)
        out.tables.append(("errors", errors))
        out.losses[who.service, "agent", "error_rows_left_out"] += left_out


def _newest(records: Rows) -> int:
    return int(records["seq"].max()) if len(records) else 0
