"""One flush: everything measured since the last one, committed with the cursors, then settled."""

import traceback
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from agent.activity import Activity
from agent.draining import Drained, drained, request_tables
from agent.header import ring_id_of
from agent.limits import Key, Limits
from agent.lines import line_rows
from agent.metrics import Metrics, series_rows
from agent.requests import Identity
from agent.samples import WorkerView
from agent.sampling import Samples, Sampling
from agent.seen import Seen
from agent.series import Series
from agent.spool import Cursor, Section, Spool
from agent.statsd import StatsD
from agent.tables import batches, ipc_bytes, table_of_rows
from agent.workers import Workers

__all__ = ["Flush"]

START = Cursor(0, {})
#: Series that wait for a disk that refuses; the oldest go first.
SERIES_KEPT_MAX = 20_000


@dataclass(slots=True)
class _Gathered:
    """What one flush carries, and what it settles once it is on disk."""

    tables: dict[str, list[pa.Table]] = field(default_factory=lambda: defaultdict(list))
    cursors: dict[int, Cursor] = field(default_factory=dict)
    losses: Counter[Key] = field(default_factory=Counter)
    finished: list[int] = field(default_factory=list)
    statements: list[int] = field(default_factory=list)
    stacks: list[int] = field(default_factory=list)
    series: list[Series] = field(default_factory=list)


@dataclass(slots=True)
class Flush:
    """Owns the cursors. Nothing is forgotten before the spool has it."""

    workers: Workers
    sampling: Sampling
    metrics: Metrics
    statsd: StatsD
    limits: Limits
    spool: Spool
    host: str
    region: str
    wall_ns: Callable[[], int]
    cursors: dict[int, Cursor] = field(default_factory=dict)
    #: further numbers, asked for once a flush
    numbers: Callable[[], list[Series]] = list
    #: since the start: records, samples, flushes
    counts: Counter[str] = field(default_factory=Counter)
    _activity: Activity = field(default_factory=Activity)
    _statements: Seen = field(default_factory=Seen)
    _stacks: Seen = field(default_factory=Seen)
    _refused: set[str] = field(default_factory=set)
    #: taken from StatsD and from `numbers`, and not on disk yet
    _series: list[Series] = field(default_factory=list)

    def once(self) -> None:
        """Gather, commit, settle; raises SpoolFailed and keeps everything for the next time."""
        now_ns = self.wall_ns()
        now_ms = now_ns // 1_000_000
        self.workers.look(now_ns)
        gathered = _Gathered()
        self._activity.begin()
        self._drain(gathered, now_ns)
        self._keep_cursors_of_refused(gathered)
        views = [
            one.view(self.host, self.region) for one in self.workers.known.values() if one.alive
        ]
        self.sampling.workers = tuple(
            view for view in views if not self.workers.known[view.ring_id].unreachable
        )
        host = self._identity(views)
        samples = self.sampling.waiting()
        self._add_samples(samples, gathered, now_ms)
        rows = self.metrics.rows(host, views, samples.idle, now_ms)
        self._series += self.statsd.take() + self.numbers()
        self.limits.add("series_dropped", len(self._series) - SERIES_KEPT_MAX)
        self._series = self._series[-SERIES_KEPT_MAX:]
        rows += series_rows(host, self._series + gathered.series, now_ms)
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

    def _drain(self, into: _Gathered, now_ns: int) -> None:
        """Add what the rings give; one that cannot be read costs no other its flush."""
        parts: dict[int, Drained] = {}
        for ring_id, worker in self.workers.known.items():
            who = worker.view(self.host, self.region).identity
            before = self.cursors.get(ring_id, START)
            try:
                parts[ring_id] = drained(worker, before, who, self._statements, now_ns)
            except Exception as error:
                self._failed(ring_id, who.service, error, into)
        tables, failed = request_tables({key: part.served for key, part in parts.items()})
        if tables:
            into.tables["requests"] += tables
        for ring_id, part in parts.items():
            if ring_id in failed:
                self._failed(ring_id, part.served.identity.service, failed[ring_id], into)
            else:
                self._add(ring_id, part, into, now_ns)

    def _failed(self, ring_id: int, service: str, error: Exception, into: _Gathered) -> None:
        """A ring in which we met a fault of ours keeps its place."""
        traceback.print_exception(error)
        into.losses[service, "agent", "rings_failed"] += 1
        into.cursors[ring_id] = self.cursors.get(ring_id, START)

    def _add(self, ring_id: int, part: Drained, into: _Gathered, now_ns: int) -> None:
        worker, served = self.workers.known[ring_id], part.served
        for name, table in part.tables:
            into.tables[name].append(table)
        walls_ns = served.records["wall_ns"]
        into.series += self._activity.series(worker, served.identity, walls_ns, now_ns)
        into.losses.update(part.losses)
        into.statements += part.statements
        into.cursors[ring_id] = part.cursor
        if not worker.alive:
            into.finished.append(ring_id)

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
        if samples.lines:
            lines = line_rows(samples.lines, now_ms)
            into.tables["line_samples"].append(table_of_rows("line_samples", lines))
        into.stacks = self._stacks.fresh(list(samples.stacks), now_ms)
        rows = []
        for stack_id in into.stacks:
            who, stack = samples.stacks[stack_id]
            rows.append(
                {
                    "ts_ms": now_ms,
                    **who.columns,
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
        requests = gathered.tables.get("requests", [])
        self.counts["records"] += sum(table.num_rows for table in requests)
        self.counts["samples"] += sum(row["samples"] for row in samples.rows)
        self.counts["flushes"] += 1
        self._refused = set(self.workers.refused)
        self._statements.settle(gathered.statements)
        self._stacks.settle(gathered.stacks)
        self.sampling.settle(samples)
        self.metrics.settle()
        self._series = []
        self._activity.settle()
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
