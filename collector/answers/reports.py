"""What agents said of their hosts and of the workers on them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from collector.answers.records import Window, WorkerRow
from collector.answers.rows import rows_of
from collector.answers.workers import WORKER_LABEL, workers_by_host
from collector.store import answer_reads
from collector.store.store import Store, truncated

__all__ = ["Reports", "reports"]

Key = tuple[str, str]
Row = dict[str, Any]
#: Of a host that spoke in this last part of the window, what it said before is no more.
NEWEST_MS = 600_000
#: A reason that no worker has given for this long, while others spoke, is no more.
REASON_MS = 120_000
STATE, REASON = "worker_state", "unit_reason="


@dataclass(frozen=True, slots=True)
class Reports:
    """All by (service, host). `metrics`: the host's own, newest values; `last_ms`: when it spoke
    last; `reasons`: why its workers do not count the best unit."""

    metrics: dict[Key, dict[str, float]]
    last_ms: dict[Key, int]
    reasons: dict[Key, tuple[str, ...]]
    workers: dict[Key, tuple[WorkerRow, ...]]
    truncated: bool


def reports(store: Store, window: Window, service: str) -> Reports:
    """What each host said last: in the newest part of the window, or, where it was silent then, in
    all of it."""
    since_ms = max(window.from_ms, window.to_ms - NEWEST_MS)
    tables = [answer_reads.host_metrics(store, Window(since_ms, window.to_ms), service)]
    if since_ms > window.from_ms:
        silent = _silent(store, Window(window.from_ms, since_ms), service, tables[0])
        if silent:
            hosts = sorted({host for _, host in silent})
            tables.append(_of(answer_reads.host_metrics(store, window, service, hosts), silent))
    return _reports([row for table in tables for row in rows_of(table)], tables)


def _silent(store: Store, before: Window, service: str, newest: pa.Table) -> set[Key]:
    """Hosts that spoke before, and not since."""
    spoke = _keys(newest)
    but = sorted({host for _, host in spoke}) if service else []
    return _keys(answer_reads.hosts_heard(store, before, service, but)) - spoke


def _keys(table: pa.Table) -> set[Key]:
    pairs = table.select(["service", "host"]).group_by(["service", "host"]).aggregate([])
    return set(zip(pairs["service"].to_pylist(), pairs["host"].to_pylist(), strict=True))


def _of(table: pa.Table, keys: set[Key]) -> pa.Table:
    pairs = zip(table["service"].to_pylist(), table["host"].to_pylist(), strict=True)
    return table.filter(pa.array([pair in keys for pair in pairs], pa.bool_()))


def _reports(rows: Sequence[Row], tables: Sequence[pa.Table]) -> Reports:
    metrics: dict[Key, dict[str, float]] = {}
    last_ms: dict[Key, int] = {}
    states: dict[Key, list[Row]] = {}
    of_workers: list[Row] = []
    for row in sorted(rows, key=lambda row: int(row["last_seen_ms"])):
        key = row["service"], row["host"]
        if any(word.startswith(WORKER_LABEL) for word in row["words"]):
            of_workers.append(row)
        else:
            metrics.setdefault(key, {})[_name(row)] = row["newest"]
            last_ms[key] = row["last_seen_ms"]
        if row["metric"] == STATE:
            states.setdefault(key, []).append(row)
    workers = workers_by_host(of_workers)
    for key, each in workers.items():
        last_ms[key] = max(last_ms.get(key, 0), *(one.last_ms for one in each))
    return Reports(
        metrics={key: dict(sorted(values.items())) for key, values in metrics.items()},
        last_ms=last_ms,
        reasons={key: _reasons(said) for key, said in states.items()},
        workers=workers,
        truncated=any(map(truncated, tables)),
    )


def _name(row: Row) -> str:
    """Labels in braces make a name of their own."""
    return f"{row['metric']}{{{','.join(row['words'])}}}" if row["words"] else row["metric"]


def _reasons(said: Sequence[Row]) -> tuple[str, ...]:
    """Each reason of the newest minutes once; `said`: oldest first."""
    newest_ms = said[-1]["last_seen_ms"]
    words = (
        word
        for row in said
        if row["last_seen_ms"] >= newest_ms - REASON_MS
        for word in row["words"]
    )
    found = {word.removeprefix(REASON) for word in words if word.startswith(REASON)}
    return tuple(sorted(found - {""}))
