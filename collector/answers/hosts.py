"""How is each host, as its agent sees it?"""

from typing import Any

import pyarrow as pa

from collector.answers.limits import summed
from collector.answers.records import Answer, HostRow, LimitRow, Window
from collector.answers.reports import reports
from collector.answers.together import together
from collector.store import answer_reads
from collector.store.store import Store, truncated
from profiler.vocabulary import MINUTE_MS

__all__ = ["hosts"]

Key = tuple[str, str]


def hosts(store: Store, window: Window, service: str = "") -> Answer[tuple[HostRow, ...]]:
    """Hosts that sent requests, samples or metrics in the window; an empty service means all."""
    said, (requests, workers), sampled, hits = together(
        lambda: reports(store, window, service),
        lambda: _served(store, window, service),
        lambda: answer_reads.host_samples(store, window, service),
        lambda: answer_reads.limit_hits(store, window, service).to_pylist(),
    )
    served, samples, serving = (_by_key(table) for table in (requests, sampled, workers))
    limits: dict[Key, list[LimitRow]] = {}
    for row in hits:
        limits.setdefault(_key(row), []).append(LimitRow(row["where"], row["what"], row["hits"]))
    rows = []
    for key in sorted({*served, *samples, *said.metrics, *said.workers}):
        row, sample = served.get(key, {}), samples.get(key, {})
        rows.append(
            HostRow(
                service=key[0],
                host=key[1],
                region=row.get("newest_region", ""),
                releases=tuple(row.get("releases", ())),
                workers=serving.get(key, {}).get("workers", 0),
                requests=round(row.get("requests", 0)),
                samples=sample.get("sample_count", 0),
                last_ms=max(
                    row.get("last_seen_ms", 0),
                    sample.get("last_seen_ms", 0),
                    said.last_ms.get(key, 0),
                ),
                cost_unit=row.get("newest_cost_unit", ""),
                metrics=said.metrics.get(key, {}),
                limits=tuple(limits.get(key, ())),
                cost_unit_reasons=said.reasons.get(key, ()),
                each_worker=said.workers.get(key, ()),
            )
        )
    return Answer(
        data=tuple(rows),
        truncated=truncated(requests) or said.truncated,
        as_of_ms=max((row.last_ms for row in rows), default=0),
        limits=summed(hits),
    )


def _served(store: Store, window: Window, service: str) -> tuple[pa.Table, pa.Table]:
    """Rows of host_rows and of host_workers: no host's last two minutes are before that of the host
    which has been silent for longest."""
    requests = answer_reads.host_rows(store, window, service)
    newest_ms = requests["newest_minute_ms"].to_pylist()
    since_ms = max(window.from_ms, min(newest_ms, default=0) - MINUTE_MS)
    newest = Window(since_ms, window.to_ms) if newest_ms else window
    return requests, answer_reads.host_workers(store, newest, service)


def _by_key(table: pa.Table) -> dict[Key, dict[str, Any]]:
    return {_key(row): row for row in table.to_pylist()}


def _key(row: dict[str, Any]) -> Key:
    return row["service"], row["host"]
