"""How is each host, as its agent sees it?"""

from typing import Any

import pyarrow as pa

from collector.answers.limits import limits_hit
from collector.answers.records import Answer, HostRow, LimitRow, Window
from collector.answers.workers import workers_by_host
from collector.store import answer_reads
from collector.store.store import Store, truncated

__all__ = ["hosts"]

Key = tuple[str, str]
#: A reason that no worker has given for this long, while others spoke, is no more.
REASON_MS = 120_000


def hosts(store: Store, window: Window, service: str = "") -> Answer[tuple[HostRow, ...]]:
    """Hosts that sent requests, samples or metrics in the window; an empty service means all."""
    requests = answer_reads.host_rows(store, window, service)
    served = {_key(row): row for row in requests.to_pylist()}
    workers = _by_host(answer_reads.host_workers(store, window, service), "workers")
    samples = {
        _key(row): row for row in answer_reads.host_samples(store, window, service).to_pylist()
    }
    measured = answer_reads.host_metrics(store, window, service)
    metrics: dict[Key, dict[str, float]] = {}
    newest: dict[Key, int] = {}
    for row in measured.to_pylist():
        metrics.setdefault(_key(row), {})[row["metric"]] = row["newest"]
        newest[_key(row)] = max(newest.get(_key(row), 0), row["last_seen_ms"])
    said = answer_reads.worker_metrics(store, window, service)
    each_worker = workers_by_host(said)
    reasons = _unit_reasons(answer_reads.host_unit_reasons(store, window, service))
    limits: dict[Key, list[LimitRow]] = {}
    for row in answer_reads.limit_hits(store, window, service).to_pylist():
        limit = LimitRow(row["where"], row["what"], row["hits"])
        limits.setdefault(_key(row), []).append(limit)
    rows = []
    for key in sorted(set(served) | set(samples) | set(metrics) | set(each_worker)):
        row = served.get(key, {})
        sample = samples.get(key, {})
        seen = (
            row.get("last_seen_ms", 0),
            sample.get("last_seen_ms", 0),
            newest.get(key, 0),
            *(one.last_ms for one in each_worker.get(key, ())),
        )
        rows.append(
            HostRow(
                service=key[0],
                host=key[1],
                region=row.get("newest_region", ""),
                releases=tuple(row.get("releases", ())),
                workers=workers.get(key, 0),
                requests=round(row.get("requests", 0)),
                samples=sample.get("sample_count", 0),
                last_ms=max(seen),
                cost_unit=row.get("newest_cost_unit", ""),
                metrics=metrics.get(key, {}),
                limits=tuple(limits.get(key, ())),
                cost_unit_reasons=reasons.get(key, ()),
                each_worker=each_worker.get(key, ()),
            )
        )
    return Answer(
        data=tuple(rows),
        truncated=any(map(truncated, (requests, measured, said))),
        as_of_ms=max((row.last_ms for row in rows), default=0),
        limits=limits_hit(store, window, service),
    )


def _unit_reasons(said: pa.Table) -> dict[Key, tuple[str, ...]]:
    """Each host's reasons of its newest minutes."""
    rows = said.to_pylist()
    newest: dict[Key, int] = {}
    for row in rows:
        newest[_key(row)] = max(newest.get(_key(row), 0), row["said_ms"])
    found: dict[Key, tuple[str, ...]] = {}
    for row in rows:
        if row["unit_reason"] and row["said_ms"] >= newest[_key(row)] - REASON_MS:
            found[_key(row)] = (*found.get(_key(row), ()), row["unit_reason"])
    return found


def _by_host(table: pa.Table, column: str) -> dict[Key, Any]:
    return {_key(row): row[column] for row in table.to_pylist()}


def _key(row: dict[str, Any]) -> Key:
    return row["service"], row["host"]
