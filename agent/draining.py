"""One worker's ring -> tables, losses and the new cursor; nothing is settled here."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from agent.columns import timely
from agent.details import detail_tables
from agent.limits import Key
from agent.requests import (
    Identity,
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

__all__ = ["Drained", "drained"]

#: A ring's own counters that say what was lost.
LOSSES = tuple(
    name
    for name in layout.COUNTER_NAMES
    if name not in ("written", "strings_used", "details_written")
)
LOSS_PLAUSIBLE_MAX = 1 << 40


@dataclass(slots=True)
class Drained:
    """What a ring gave. `statements`: fingerprints whose text is in `tables`."""

    cursor: Cursor
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
    out = Drained(Cursor(max(drain.cursor, _newest(records)), lost, details.cursor))
    for name, count in lost.items():
        rise = count - before.counters.get(name, 0)
        if 0 < rise < LOSS_PLAUSIBLE_MAX:
            out.losses[who.service, "agent" if name == "strings_torn" else "probe", name] += rise
    right = timely(records, now_ns)
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
    _add_tables(worker, records[right], who, seen, now_ns // 1_000_000, out)
    out.tables += tables
    return out


def _killed(worker: Worker, after_seq: int) -> Rows:
    """What was in flight when the worker died, and did not get its record after all."""
    ring = worker.ring
    lost = [one for one in ring.in_flight() if not ring.has_record(one.slot, one.started_ns)]
    return killed_records(lost, after_seq, worker.last_alive_ns)


def _add_tables(
    worker: Worker, records: Rows, who: Identity, seen: Seen, now_ms: int, out: Drained
) -> None:
    if not len(records):
        return
    ring = worker.ring
    out.tables.append(("requests", request_table(ring, records, who, worker.pid)))
    texts = statement_texts(ring, records)
    out.statements = seen.fresh(list(texts), now_ms)
    if out.statements:
        fresh = {key: texts[key] for key in out.statements}
        out.tables.append(("statements", statement_table(fresh, who, now_ms)))
    errors, left_out = error_table(ring, records, who)
    if errors.num_rows:
        out.tables.append(("errors", errors))
    out.losses[who.service, "agent", "error_rows_left_out"] += left_out


def _newest(records: Rows) -> int:
    return int(records["seq"].max()) if len(records) else 0
