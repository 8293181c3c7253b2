"""One flush: everything measured since the last one, committed with the cursors, then settled."""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import pyarrow as pa

from agent.limits import Key, Limits
from agent.metrics import Metrics
from agent.requests import (
    Identity,
    error_table,
    killed_records,
    request_table,
    statement_table,
    statement_texts,
)
from agent.rings import Records, Ring, ring_id_of
from agent.samples import WorkerView
from agent.sampling import Samples, Sampling
from agent.seen import Seen
from agent.spool import Cursor, Section, Spool
from agent.tables import batches, ipc_bytes, table_of_rows
from agent.workers import Worker, Workers

__all__ = ["Flush"]

#: A ring's own counters that say what was lost.
LOSSES = (
    "strings_full", "endpoints_over", "slots_full", "counter_multiplexed", "counter_failed",
    "probe_errors", "bad_settings",
)  # fmt: skip
LOSS_PLAUSIBLE_MAX = 1 << 40
START = Cursor(0, {})


@dataclass(slots=True)
class _Gathered:
    """What one flush carries, and what it settles once it is on disk."""

    tables: dict[str, list[pa.Table]] = field(default_factory=lambda: defaultdict(list))
    cursors: dict[int, Cursor] = field(default_factory=dict)
    losses: Counter[Key] = field(default_factory=Counter)
    finished: list[int] = field(default_factory=list)
    statements: list[int] = field(default_factory=list)
    stacks: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Flush:
    """Owns the cursors. Nothing is forgotten before the spool has it."""

    workers: Workers
    sampling: Sampling
    metrics: Metrics
    limits: Limits
    spool: Spool
    host: str
    region: str
    wall_ns: Callable[[], int]
    cursors: dict[int, Cursor] = field(default_factory=dict)
    _statements: Seen = field(default_factory=Seen)
    _stacks: Seen = field(default_factory=Seen)
    _refused: set[str] = field(default_factory=set)

    def once(self) -> None:
        """Gather, commit, settle; raises SpoolFailed and keeps everything for the next time."""
        now_ns = self.wall_ns()
        now_ms = now_ns // 1_000_000
        self.workers.look(now_ns)
        gathered = _Gathered()
        for ring_id, worker in self.workers.known.items():
            self._drain(ring_id, worker, gathered, now_ms)
        self._keep_cursors_of_refused(gathered)
        views = [
            one.view(self.host, self.region) for one in self.workers.known.values() if one.alive
        ]
        self.sampling.workers = tuple(views)
        host = self._identity(views)
        samples = self.sampling.waiting()
        self._add_samples(samples, gathered, now_ms)
        rows = self.metrics.rows(host, views, samples.idle, now_ms)
        gathered.tables["metrics"].append(table_of_rows("metrics", rows))
        pending = self.limits.pending()
        limits = _limit_rows(Counter(pending) + gathered.losses, host, now_ms)
        gathered.tables["limits"].append(table_of_rows("limits", limits))
        self.spool.commit(_sections(gathered.tables), gathered.cursors)
        self._settle(gathered, samples, pending)

    def _identity(self, views: list[WorkerView]) -> Identity:
        """The host as its workers name it, else as the agent was told."""
        named = views[0].identity if views else Identity("", self.host, self.region)
        return Identity("", named.host, named.region)

    def _drain(self, ring_id: int, worker: Worker, into: _Gathered, now_ms: int) -> None:
        """All that a ring has for us; of a dead worker also what was in flight."""
        ring, before = worker.ring, self.cursors.get(ring_id, START)
        counters = ring.counters()
        drain = ring.drain(before.seq, counters["written"], alive=worker.alive)
        ring.read_strings(ring.counters()["strings_used"])
        view = worker.view(self.host, self.region)
        seq = drain.cursor
        self._add_records(ring, drain.records, view.identity, into, now_ms)
        if not worker.alive:
            seq = self._add_killed(worker, seq, counters["written"], view.identity, into, now_ms)
            into.finished.append(ring_id)
        lost = {name: counters[name] for name in LOSSES} | {"strings_torn": ring.strings_torn}
        service = view.identity.service
        for name, count in lost.items():
            rise = count - before.counters.get(name, 0)
            if 0 < rise < LOSS_PLAUSIBLE_MAX:
                into.losses[service, "agent" if name == "strings_torn" else "probe", name] += rise
        into.losses[service, "agent", "records_dropped"] += drain.dropped
        into.losses[service, "agent", "records_torn"] += drain.torn
        into.cursors[ring_id] = Cursor(seq, lost)

    def _add_records(
        self, ring: Ring, records: Records, who: Identity, into: _Gathered, now_ms: int
    ) -> None:
        if not len(records):
            return
        into.tables["requests"].append(request_table(ring, records, who))
        texts = statement_texts(ring, records)
        fresh = self._statements.fresh(list(texts), now_ms)
        fresh = [key for key in fresh if key not in into.statements]
        if fresh:
            some = {key: texts[key] for key in fresh}
            into.tables["statements"].append(statement_table(some, who, now_ms))
            into.statements += fresh
        errors, left_out = error_table(ring, records, who)
        if errors.num_rows:
            into.tables["errors"].append(errors)
        into.losses[who.service, "agent", "error_rows_left_out"] += left_out

    def _add_killed(
        self, worker: Worker, seq: int, written: int, who: Identity, into: _Gathered, now_ms: int
    ) -> int:
        """Report what was in flight, once; the new cursor.

        The numbers go on after the last one written, so a cursor beyond that says that an earlier
        flush has reported them and only the removal of the file is left.
        """
        if seq > written:
            return seq
        ring = worker.ring
        open_requests = [
            one for one in ring.in_flight() if not ring.has_record(one.slot, one.started_ns)
        ]
        records = killed_records(open_requests, seq, worker.last_alive_ns)
        self._add_records(ring, records, who, into, now_ms)
        return seq + len(records)

    def _keep_cursors_of_refused(self, into: _Gathered) -> None:
        """A ring that cannot be read now keeps its place for when it can."""
        for name in self.workers.names:
            ring_id = ring_id_of(name)
            if ring_id in self.cursors:
                into.cursors.setdefault(ring_id, self.cursors[ring_id])
        new = self.workers.refused.keys() - self._refused
        into.losses["", "agent", "rings_refused"] += len(new)

    def _add_samples(self, samples: Samples, into: _Gathered, now_ms: int) -> None:
        if samples.rows:
            into.tables["stack_samples"].append(table_of_rows("stack_samples", samples.rows))
        into.stacks = self._stacks.fresh(list(samples.stacks), now_ms)
        rows = []
        for stack_id in into.stacks:
            who, stack = samples.stacks[stack_id]
            rows.append(
                {
                    "ts_ms": now_ms,
                    **asdict(who),
                    "stack_id": stack_id,
                    "frames": stack.frames,
                    "lines": stack.lines,
                    "origins": stack.origins,
                }
            )
        if rows:
            into.tables["stacks"].append(table_of_rows("stacks", rows))

    def _settle(self, gathered: _Gathered, samples: Samples, pending: dict[Key, int]) -> None:
        """The flush is on disk: forget what it carried, remove the rings that are done with."""
        self.cursors = gathered.cursors
        self._refused = set(self.workers.refused)
        self._statements.settle(gathered.statements)
        self._stacks.settle(gathered.stacks)
        self.sampling.settle(samples)
        self.metrics.settle()
        self.limits.settle(pending)
        self.limits.note(gathered.losses)
        for ring_id in gathered.finished:
            self.workers.remove(ring_id)


def _limit_rows(counts: Counter[Key], host: Identity, now_ms: int) -> list[dict[str, Any]]:
    common = {"ts_ms": now_ms, "host": host.host, "region": host.region}
    return [
        {**common, "service": service, "where": where, "what": what, "count": count}
        for (service, where, what), count in sorted(counts.items())
        if count > 0
    ]


def _sections(tables: dict[str, list[pa.Table]]) -> list[Section]:
    return [
        Section(name, batch.num_rows, ipc_bytes(batch))
        for name, parts in tables.items()
        for batch in batches(pa.concat_tables(parts))
        if batch.num_rows
    ]
