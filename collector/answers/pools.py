"""A service's workers on each host, out of the store: what advice and capacity are asked about."""

from collections.abc import Iterable, Mapping
from typing import Any

from collector.answers.records import Window
from collector.store import pool_reads
from collector.store.store import Store
from profiler.pool import NOT_MEASURED, Pool

__all__ = ["pools"]

#: Growth of memory is told from no shorter look at a worker than this.
GROWTH_MS_MIN = 120_000
GROWTH_REQUESTS_MIN = 200
#: Without a full minute there is no busiest one.
MINUTE_S = 60.0
MS_PER_H = 3_600_000

Row = dict[str, Any]


def pools(store: Store, window: Window, service: str, endpoint: str = "") -> tuple[list[Pool], int]:
    """(a pool a host, newest request in ms). `wall_hist` is the endpoint's, all else of all."""
    hosts = pool_reads.pool_requests(store, window, service, endpoint).to_pylist()
    served: dict[str, dict[int, Row]] = {}
    for row in pool_reads.pool_workers(store, window, service).to_pylist():
        served.setdefault(row["host"], {})[row["pid"]] = row
    metrics: dict[str, list[Row]] = {}
    for row in pool_reads.pool_metrics(store, window, service).to_pylist():
        metrics.setdefault(row["host"], []).append(row)
    found = [
        _pool(service, row, _Metrics(metrics.get(row["host"], [])), served.get(row["host"], {}))
        for row in hosts
    ]
    return found, max((row["last_ms"] for row in hosts), default=0)


class _Metrics:
    """One host's numbers by name; nan where there is none."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows: dict[str, list[Row]] = {}
        for row in rows:
            self._rows.setdefault(row["metric"], []).append(row)

    def rows(self, name: str) -> list[Row]:
        return self._rows.get(name, [])

    def mean(self, name: str, column: str = "newest") -> float:
        values = [row[column] for row in self.rows(name)]
        return sum(values) / len(values) if values else NOT_MEASURED

    def most(self, name: str) -> float:
        return max((row["most"] for row in self.rows(name)), default=NOT_MEASURED)

    def added(self, name: str, column: str = "newest") -> float:
        """Over several uWSGI masters."""
        values = [row[column] for row in self.rows(name)]
        return float(sum(values)) if values else NOT_MEASURED


def _pool(service: str, row: Row, metrics: _Metrics, served: Mapping[int, Row]) -> Pool:
    seconds = max(1.0, (row["last_ms"] - row["first_ms"]) / 1000)
    live = row["live_total"] or NOT_MEASURED
    workers = metrics.added("uwsgi_workers")
    threads = metrics.added("uwsgi_threads") / workers if workers > 0 else NOT_MEASURED
    cores, limit_cores = metrics.most("host_cores"), metrics.most("cgroup_cpu_limit_cores")
    memory, used = metrics.most("host_memory_total_bytes"), metrics.mean("host_memory_used_bytes")
    limit = metrics.most("cgroup_memory_limit_bytes")
    if limit <= memory:
        memory, used = limit, metrics.most("cgroup_memory_used_bytes")
    per_s = row["requests"] / seconds
    return Pool(
        service=service,
        host=row["host"],
        seconds=seconds,
        requests=row["requests"],
        peak_per_s=row["peak_minute"] / MINUTE_S if seconds > MINUTE_S else per_s,
        wall_ns=row["wall_total"] / live,
        wall_cv2=_cv2(live, row["wall_total"], row["wall_sq_total"]),
        cpu_ns=row["cpu_total"] / live,
        cpu_cv2=_cv2(live, row["cpu_total"], row["cpu_sq_total"]),
        outside_ns=row["outside_total"] / live,
        gc_ns=row["gc_total"] / live,
        workers=workers if workers > 0 else float(row["rings"] or NOT_MEASURED),
        threads=threads if threads > 0 else 1.0,
        busy_mean=metrics.added("uwsgi_threads_busy", "mean"),
        busy_max=metrics.added("uwsgi_threads_busy", "most"),
        cores=limit_cores if limit_cores <= cores else cores,
        host_cpu_share=metrics.mean("host_cpu_percent", "mean") / 100,
        host_running=metrics.mean("host_load_1m", "mean"),
        memory_bytes=memory,
        memory_used_bytes=used,
        private_bytes=metrics.mean("worker_uss_bytes"),
        private_max_bytes=metrics.most("worker_uss_bytes"),
        private_first_bytes=metrics.mean("worker_uss_bytes", "oldest"),
        shared_bytes=metrics.mean("worker_shared_bytes"),
        growth_bytes_per_request=_growth(metrics.rows("worker_uss_bytes"), served),
        listen_queue_max=metrics.most("uwsgi_listen_queue"),
        listen_queue_room=metrics.most("uwsgi_listen_queue_max"),
        listen_queue_errors=metrics.added("uwsgi_listen_queue_errors", "total"),
        respawns_per_h=_per_h(metrics.rows("uwsgi_respawns")),
        wall_hist=dict(zip(row["wall_buckets"], row["wall_counts"], strict=True)),
    )


def _cv2(count: float, total: float, squares: float) -> float:
    """Variance over squared mean."""
    return max(0.0, squares * count / total**2 - 1) if total else NOT_MEASURED


def _growth(memory: Iterable[Row], served: Mapping[int, Row]) -> float:
    """Bytes that a worker's own memory grows by with each request, over all workers."""
    bytes_more = requests = 0.0
    for row in memory:
        labels = dict(label.split("=", 1) for label in row["labels"] if "=" in label)
        worker = served.get(int(labels.get("pid", "0") or 0))
        lasted_ms = row["last_ms"] - row["first_ms"]
        if worker is None or lasted_ms < GROWTH_MS_MIN:
            continue
        lived_ms = max(1, worker["last_ms"] - worker["first_ms"])
        between = worker["requests"] * min(1.0, lasted_ms / lived_ms)
        if between >= GROWTH_REQUESTS_MIN:
            bytes_more += row["newest"] - row["oldest"]
            requests += between
    return bytes_more / requests if requests else NOT_MEASURED


def _per_h(rows: list[Row]) -> float:
    if not rows:
        return NOT_MEASURED
    lasted_ms = max(row["last_ms"] for row in rows) - min(row["first_ms"] for row in rows)
    respawns = sum(row["total"] for row in rows)
    return float(respawns * MS_PER_H / max(60_000, lasted_ms))
