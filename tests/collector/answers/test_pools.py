"""Pools out of stored rows, against plain sums over the same rows."""

import numpy as np
import pytest

from collector.answers.advice import advice
from collector.answers.capacity import capacity
from collector.answers.pools import pools
from collector.answers.records import Window
from profiler.vocabulary import WIRE
from tests.collector.rows import START_MS, table_of

SERVICE = "pool"
WINDOW = Window(START_MS, START_MS + 600_000)
N = 3_000
MB = 1 << 20


@pytest.fixture(scope="module")
def rows(store):
    """Ten minutes of one host with two workers; the columns that were stored."""
    rng = np.random.default_rng(8)
    columns = {
        "ts_ms": np.sort(rng.integers(START_MS, START_MS + 600_000, N)),
        "wall_ns": rng.exponential(20e6, N).astype(np.uint64),
        "task_clock_ns": rng.exponential(4e6, N).astype(np.uint64),
        "db_ns": rng.integers(0, 9_000_000, N),
        "rpc_ns": rng.integers(0, 1_000_000, N),
        "pid": rng.integers(11, 13, N),
        "endpoint": ["GET /a" if one < 0.25 else "GET /b" for one in rng.random(N)],
    }
    batch = table_of(
        "requests", N, service=SERVICE, host="h", kind="http", weight=1.0, outcome="ok",
        cost_unit="cpu_ns", ring_id=columns["pid"], seq=range(1, N + 1), **columns,
    )  # fmt: skip
    store.insert("requests", batch, "pool-requests")
    store.insert("metrics", metrics(), "pool-metrics")
    return columns


def metrics():
    """(service, name, labels, value, minute)."""
    told = [
        ("", "host_cores", [], 4, 0),
        ("", "host_cpu_percent", [], 20, 0),
        ("", "host_cpu_percent", [], 40, 5),
        ("", "host_load_1m", [], 1.5, 0),
        ("", "host_load_1m", [], 2.5, 5),
        ("", "host_memory_total_bytes", [], 4000 * MB, 0),
        ("", "host_memory_used_bytes", [], 1000 * MB, 0),
        (SERVICE, "cgroup_cpu_limit_cores", ["cgroup=/x"], 2, 0),
        (SERVICE, "cgroup_memory_limit_bytes", ["cgroup=/x"], 2000 * MB, 0),
        (SERVICE, "cgroup_memory_used_bytes", ["cgroup=/x"], 900 * MB, 0),
        (SERVICE, "worker_shared_bytes", ["pid=11", "worker=1"], 50 * MB, 5),
        *((SERVICE, "uwsgi_threads_busy", ["uwsgi=1"], busy, at) for at, busy in enumerate((1, 4))),
        (SERVICE, "uwsgi_workers", ["uwsgi=1"], 2, 0),
        (SERVICE, "uwsgi_threads", ["uwsgi=1"], 4, 0),
        (SERVICE, "uwsgi_listen_queue", ["uwsgi=1"], 7, 0),
        (SERVICE, "uwsgi_respawns", ["uwsgi=1", "worker=1"], 1, 0),
        (SERVICE, "uwsgi_respawns", ["uwsgi=1", "worker=1"], 1, 6),
        *(
            (SERVICE, "worker_uss_bytes", [f"pid={pid}", "worker=1"], (100 + grown) * MB, at)
            for pid in (11, 12)
            for at, grown in ((0, 0), (9, 9))
        ),
    ]  # fmt: skip
    services, names, labels, values, minutes = zip(*told, strict=True)
    assert "labels" in {column.name for column in WIRE["metrics"]}
    return table_of(
        "metrics", len(told), ts_ms=[START_MS + 60_000 * one for one in minutes], host="h",
        service=list(services), name=list(names), labels=list(labels), value=list(values),
        source=["host" if not one else "worker" for one in services], kind="gauge",
    )  # fmt: skip


def test_a_pool_is_what_the_rows_say(store, rows):
    ((pool,), as_of_ms) = pools(store, WINDOW, SERVICE, "GET /a")
    wall, cpu = rows["wall_ns"].astype(float), rows["task_clock_ns"].astype(float)
    assert as_of_ms == rows["ts_ms"].max()
    assert (pool.service, pool.host, pool.requests) == (SERVICE, "h", N)
    assert pool.seconds == (rows["ts_ms"].max() - rows["ts_ms"].min()) / 1000
    assert pool.wall_ns == pytest.approx(wall.mean())
    assert pool.wall_cv2 == pytest.approx(wall.var() / wall.mean() ** 2)
    assert pool.cpu_ns == pytest.approx(cpu.mean())
    assert pool.cpu_cv2 == pytest.approx(cpu.var() / cpu.mean() ** 2)
    assert pool.outside_ns == pytest.approx((rows["db_ns"] + rows["rpc_ns"]).mean())
    busiest = np.bincount((rows["ts_ms"] - START_MS) // 60_000).max()
    assert pool.peak_per_s == busiest / 60
    assert sum(pool.wall_hist.values()) == rows["endpoint"].count("GET /a")


def test_the_agents_numbers_and_the_cgroups_limits(store, rows):
    ((pool,), _) = pools(store, WINDOW, SERVICE)
    assert (pool.workers, pool.threads, pool.slots) == (2, 2, 4)
    assert (pool.busy_mean, pool.busy_max, pool.listen_queue_max) == (2.5, 4, 7)
    assert pool.cores == 2
    assert pool.host_cpu_share == pytest.approx(0.3)
    assert pool.host_running == 2
    assert (pool.memory_bytes, pool.memory_used_bytes) == (2000 * MB, 900 * MB)
    assert (pool.private_bytes, pool.private_first_bytes) == (109 * MB, 100 * MB)
    assert pool.respawns_per_h == 20
    assert np.isnan(pool.listen_queue_room)
    # 9 MB in 9 of 10 minutes, by each worker.
    assert pool.growth_bytes_per_request == pytest.approx(18 * MB / (0.9 * N), rel=0.01)


def test_advice_and_capacity_have_a_row_a_host(store, rows):
    (host,) = advice(store, WINDOW, SERVICE).data
    assert {one.state for one in host.advice} <= {"change", "keep"}
    (found,) = capacity(store, WINDOW, SERVICE, "GET /a", 250.0, 0.99).data
    assert found.per_s_now < found.per_s < found.per_s_most
    assert advice(store, WINDOW, "nobody").data == ()
    assert capacity(store, WINDOW, "nobody", "", 250.0, 0.99).data == ()
