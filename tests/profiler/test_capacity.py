"""The model against a simulation of single requests, and Erlang's formula against its table."""

import heapq
import math
import random
from dataclasses import replace

import numpy as np
import pytest

from profiler.capacity import capacity, erlang_c, late_share
from profiler.histogram import wall_bucket
from profiler.pool import Pool

POOL = Pool(
    service="shop", host="web-1", seconds=600, requests=6000, peak_per_s=20, wall_ns=20e6,
    wall_cv2=1, cpu_ns=2e6, cpu_cv2=1, outside_ns=0, workers=4, threads=1, cores=8,
    host_cpu_share=0.01,
)  # fmt: skip


def measured(times_s) -> dict[int, float]:
    buckets, counts = np.unique(
        wall_bucket((np.asarray(times_s) * 1e9).astype(np.uint64)), return_counts=True
    )
    return dict(zip(buckets.tolist(), counts.astype(float).tolist(), strict=True))


def simulated_p99_s(per_s: float, times_s, servers: int, seed: int) -> float:
    """The P99 of wait + time, by plain loops: each arrival takes the server that is free first."""
    rng = random.Random(seed)
    free, now, latencies = [0.0] * servers, 0.0, []
    heapq.heapify(free)
    for _ in range(60_000):
        now += rng.expovariate(per_s)
        began = max(now, heapq.heappop(free))
        ended = began + rng.choice(times_s)
        heapq.heappush(free, ended)
        latencies.append(ended - now)
    return float(np.quantile(latencies, 0.99))


@pytest.mark.parametrize(
    ("servers", "offered", "expected"),
    [(1, 0.5, 0.5), (2, 1.0, 1 / 3), (10, 8.0, 0.409), (4, 0.0, 0.0), (4, 4.0, 1.0)],
)
def test_erlangs_formula(servers, offered, expected):
    assert erlang_c(servers, offered) == pytest.approx(expected, abs=0.001)


def test_between_whole_numbers_of_servers_it_lies_between():
    assert erlang_c(2, 1.5) > erlang_c(2.5, 1.5) > erlang_c(3, 1.5)
    assert erlang_c(0.5, 0.4) == pytest.approx(0.8)


@pytest.mark.parametrize("spread", ["exponential", "lognormal", "steady"])
@pytest.mark.parametrize("limit_ms", [120, 300])
def test_at_the_estimate_the_simulation_is_at_its_limit(spread, limit_ms):
    rng = np.random.default_rng(4)
    times = {
        "exponential": rng.exponential(0.02, 20_000),
        "lognormal": rng.lognormal(math.log(0.02) - 0.32, 0.8, 20_000),
        "steady": rng.uniform(0.018, 0.022, 20_000),
    }[spread]
    mean, cv2 = times.mean(), times.var() / times.mean() ** 2
    pool = replace(POOL, wall_ns=mean * 1e9, wall_cv2=cv2, wall_hist=measured(times))
    found = capacity(pool, limit_ms)
    assert found.bottleneck == "workers"
    assert found.per_s_most == pytest.approx(4 / mean)
    # Within 10% of the rate at which the simulated P99 crosses the limit.
    assert simulated_p99_s(found.per_s * 0.9, times, 4, 1) * 1000 < limit_ms
    assert simulated_p99_s(min(found.per_s * 1.1, 1.02 * found.per_s_most), times, 4, 2) * 1000 > (
        limit_ms
    )


def test_the_cores_that_others_leave_are_the_bottleneck():
    rng = np.random.default_rng(5)
    pool = replace(
        POOL, cpu_ns=15e6, workers=16, cores=4, host_cpu_share=0.5375,
        wall_hist=measured(rng.exponential(0.02, 5_000)),
    )  # fmt: skip
    found = capacity(pool, 500)
    # 4 cores at 54%, of which 0.15 cores are the pool's own: 2 are left
    assert found.bottleneck == "cores"
    assert 0.8 * 2 / 0.015 < found.per_s < 2 / 0.015
    assert found.per_s_most == pytest.approx(4 / 0.015)


def in_turns(cores: int, own: int, others: int) -> float:
    """Cores that `own` threads get of a scheduler that runs all in turns, all always runnable."""
    queue, got, turns = [True] * own + [False] * others, 0, 6_000
    for _ in range(turns):
        ran, queue = queue[:cores], queue[cores:]
        got += sum(ran)
        queue += ran
    return got / turns


@pytest.mark.parametrize(("workers", "others"), [(4, 4), (8, 3), (16, 8), (2, 2)])
def test_on_a_busy_host_the_workers_have_their_part_of_the_threads(workers, others):
    """Others ran on some or all of the cores before the workers had much to do."""
    pool = replace(
        POOL, requests=60, wall_ns=1e6, cpu_ns=15e6, workers=workers, cores=4,
        host_cpu_share=min(1, others / 4), host_running=others, wall_hist=measured([0.02] * 100),
    )  # fmt: skip
    left = in_turns(4, workers, others)
    assert left == pytest.approx(min(workers, 4 * workers / (workers + others)), rel=0.01)
    found = capacity(pool, 5_000)
    assert 0.85 * left / 0.015 < found.per_s < 1.01 * left / 0.015
    crowded = capacity(replace(pool, host_running=400), 5_000)
    assert crowded.per_s <= found.per_s, "many others leave no more than what they do not use"


def test_an_slo_that_is_not_kept_even_alone():
    pool = replace(POOL, wall_hist=measured([0.02] * 90 + [0.9] * 10))
    found = capacity(pool, 500)
    assert math.isnan(found.per_s) and "10.0%" in found.says


def test_what_is_missing_is_named():
    found = capacity(replace(POOL, host_cpu_share=float("nan"), cpu_ns=0.0), 500)
    assert math.isnan(found.per_s)
    assert found.says == "Not measured: CPU time per request, the host's CPU use."


def test_under_load_the_answer_says_so():
    loaded = replace(POOL, requests=72_000, wall_hist=measured([0.02] * 100))
    assert "Measured under load" in capacity(loaded, 500).says
    assert capacity(loaded, 500).utilization == pytest.approx(0.6)


def test_the_late_share_counts_whole_buckets():
    hist = measured([0.1] * 50 + [0.6] * 50)
    assert late_share(hist, 500e6, 0.0, 1.0) == 0.5
    assert late_share(hist, 500e6, 1.0, math.inf) == 1.0
    assert math.isnan(late_share({}, 500e6, 0.0, 1.0))
