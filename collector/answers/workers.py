"""How is each worker of a host, as its agent finds it?"""

from collections.abc import Sequence
from typing import Any

from collector.answers.records import WorkerRow

__all__ = ["WORKER_LABEL", "workers_by_host"]

Key = tuple[str, str]
#: A worker of which nothing was said for this long, while its host spoke, is no more.
GONE_MS = 120_000
STATE = "worker_state"
#: What a metric of a worker, and not of its host, has among its labels.
WORKER_LABEL = "pid="


def workers_by_host(said: Sequence[dict[str, Any]]) -> dict[Key, tuple[WorkerRow, ...]]:
    """(service, host) -> its workers by number; `said`: rows of the query host_metrics with the pid
    of a worker, oldest first."""
    states: dict[tuple[Key, str, str], dict[str, Any]] = {}
    metrics: dict[tuple[Key, str, str], dict[str, float]] = {}
    newest: dict[Key, int] = {}
    for row in said:
        host, words = (row["service"], row["host"]), _words(row["words"])
        worker = (host, words["pid"], words.get("worker", ""))
        if row["metric"] == STATE:
            states[worker] = {**words, "last_ms": row["last_seen_ms"]}
            newest[host] = row["last_seen_ms"]
        else:
            metrics.setdefault(worker, {})[row["metric"]] = row["newest"]
    found: dict[Key, list[WorkerRow]] = {}
    for worker, state in states.items():
        host = worker[0]
        if state["last_ms"] >= newest[host] - GONE_MS:
            found.setdefault(host, []).append(_worker(state, metrics.get(worker, {})))
    return {
        host: tuple(sorted(rows, key=lambda one: (one.worker, one.pid)))
        for host, rows in found.items()
    }


def _worker(words: dict[str, Any], metrics: dict[str, float]) -> WorkerRow:
    apart = ("worker_idle_s", "worker_profiled_ms")
    return WorkerRow(
        pid=_number(words["pid"]),
        worker=_number(words.get("worker", "")),
        release=words.get("release", ""),
        runtime=words.get("runtime", ""),
        cost_unit=words.get("unit", ""),
        permission=words.get("permission", ""),
        thread_ids=words.get("thread_ids", ""),
        idle_s=metrics.get("worker_idle_s", -1.0),
        profiled_ms=int(metrics.get("worker_profiled_ms", 0)),
        reason=words.get("reason", ""),
        last_ms=words["last_ms"],
        metrics={name: value for name, value in sorted(metrics.items()) if name not in apart},
    )


def _words(labels: list[str]) -> dict[str, str]:
    return {name: text for name, _, text in (label.partition("=") for label in labels)}


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0
