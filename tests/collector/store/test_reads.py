"""Reads of one side of a comparison against plain loops; SQL buckets against profiler.histogram."""

import math

import numpy as np
import pytest

from collector.answers.sides import Side
from collector.store import reads
from profiler.histogram import cost_bucket, wall_bucket, wall_edges_ns
from tests.collector import engines, rows
from tests.collector.answers.oracle import alive, failed, grouped, quantile_ms, rows_of
from tests.collector.arrow import with_column
from tests.collector.rows import ENDPOINTS, SERVICE, STACKS, START_MS

#: Without the cluster, which test_same_answers compares with these.
store = engines.store
END_MS = START_MS + 1_200_000
TABLES = (
    rows.request_rows(1_500, 1, killed_share=0.02),
    rows.request_rows(900, 2, release="r2", start_ms=START_MS + 600_000),
)
SAMPLES = (
    rows.sample_rows(200, 1),
    rows.sample_rows(200, 2, release="r2", start_ms=START_MS + 600_000, contended=1),
)
ALL = Side("all", "", "", "", START_MS, END_MS)
SIDES = {
    "all": (ALL, lambda row: True),
    "release": (
        Side("release:r1", "r1", "", "", START_MS, END_MS),
        lambda row: row["release"] == "r1",
    ),
    "host": (
        Side("host:web-2", "", "web-2", "eu", START_MS, END_MS),
        lambda row: row["host"] == "web-2",
    ),
    "window": (
        Side("window", "", "", "", START_MS + 5, START_MS + 333_333),
        lambda row: START_MS + 5 <= row["ts_ms"] < START_MS + 333_333,
    ),
    "none": (Side("region:us", "", "", "us", START_MS, END_MS), lambda row: False),
}


@pytest.fixture(scope="module", autouse=True)
def filled(store):
    for at, (requests, samples) in enumerate(zip(TABLES, SAMPLES, strict=True)):
        store.insert("requests", requests, f"b{at}")
        store.insert("stack_samples", samples, f"b{at}")
    store.insert("requests", rows.request_rows(50, 9, service="other"), "other")
    for at in range(3):
        store.insert("stacks", rows.stack_rows(), f"b{at}")
    store.insert("changes", rows.deploy_rows("r2", "r1", ts_ms=START_MS), "c1")
    store.insert("changes", rows.deploy_rows("r2", "r1", ts_ms=START_MS + 600_000), "c2")
    store.insert("changes", rows.deploy_rows("r2", service="other", ts_ms=END_MS), "c3")


@pytest.mark.parametrize("endpoint", ["", ENDPOINTS[1]])
@pytest.mark.parametrize("name", SIDES)
def test_request_windows(store, name, endpoint):
    side, within = SIDES[name]
    sent = [row for row in rows_of(*TABLES) if within(row) and endpoint in ("", row["endpoint"])]
    expected = grouped(
        sent,
        lambda row: (
            row["host"],
            row["ts_ms"] // 30_000,
            row["endpoint"],
            int(row["worker_req"] > 100 or row["worker_age_s"] > 60),
        ),
    )
    table = reads.request_windows(
        store, side, SERVICE, endpoint, window_ms=30_000, warmup_requests=100, warmup_s=60
    )
    found = {(r["host"], r["win"], r["endpoint"], r["warm"]): r for r in table.to_pylist()}
    assert set(found) == set(expected)
    assert table.num_rows == len(expected)
    for key, group in expected.items():
        lived = alive(group)
        row = found[key]
        assert row["n"] == len(lived)
        assert row["killed"] == len(group) - len(lived)
        assert row["errors"] == failed(group)
        assert row["cost_sum"] == sum(r["cost"] for r in lived)
        assert row["cost_sq"] == pytest.approx(sum(r["cost"] ** 2 for r in lived), rel=1e-12)
        assert row["task_clock_sum"] == sum(r["task_clock_ns"] for r in lived)
        assert row["wall_sum"] == sum(r["wall_ns"] for r in lived)
        assert (row["kind"], row["cost_unit"], row["cpu_model"]) == (
            group[0]["kind"],
            "cpu_ns",
            "Test CPU",
        )


def test_warm_up_needs_both_few_requests_and_a_young_worker(store):
    batch = rows.request_rows(4, 5, service="warm", killed_share=0)
    batch = with_column(batch, "worker_req", [200, 201, 200, 201], batch["worker_req"].type)
    batch = with_column(batch, "worker_age_s", [120, 120, 121, 121], batch["worker_age_s"].type)
    store.insert("requests", batch, "warm")
    table = reads.request_windows(store, ALL, "warm", window_ms=3_600_000)
    by_warm = grouped(table.to_pylist(), lambda row: row["warm"])
    assert {warm: sum(r["n"] for r in group) for warm, group in by_warm.items()} == {0: 1, 1: 3}


@pytest.mark.parametrize("name", SIDES)
def test_latency_quantiles(store, name):
    side, within = SIDES[name]
    expected = grouped(filter(within, rows_of(*TABLES)), lambda row: row["endpoint"])
    found = {r["endpoint"]: r for r in reads.latency_quantiles(store, side, SERVICE).to_pylist()}
    assert set(found) == set(expected)
    for endpoint, group in expected.items():
        row = found[endpoint]
        assert (row["requests"], row["errors"]) == (len(group), failed(group))
        assert row["p50"] == pytest.approx(quantile_ms(alive(group), 0.5), rel=0.06)
        assert row["p95"] == pytest.approx(quantile_ms(alive(group), 0.95), rel=0.1)


@pytest.mark.parametrize("name", SIDES)
def test_side_span(store, name):
    side, within = SIDES[name]
    times = [row["ts_ms"] for row in rows_of(*TABLES) if within(row)]
    expected = (min(times), max(times)) if times else (0, 0)
    assert reads.side_span(store, side, SERVICE) == expected


@pytest.mark.parametrize("name", SIDES)
def test_stack_windows(store, name):
    side, within = SIDES[name]
    expected = grouped(
        filter(within, rows_of(*SAMPLES)),
        lambda row: (row["host"], row["ts_ms"] // 60_000, row["endpoint"], row["stack_id"]),
    )
    table = reads.stack_windows(store, side, SERVICE, window_ms=60_000)
    found = {(r["host"], r["win"], r["endpoint"], r["stack_id"]): r for r in table.to_pylist()}
    assert set(found) == set(expected)
    for key, group in expected.items():
        weight_s = sum(r["weight_s"] for r in group)
        assert found[key]["samples"] == sum(r["samples"] for r in group)
        assert found[key]["weight_s"] == pytest.approx(weight_s)
        contended_s = sum(r["weight_s"] for r in group if r["contended"])
        assert found[key]["contended"] == pytest.approx(contended_s / weight_s)


def test_stacks_come_once_each(store):
    table = reads.stacks(store, [1, 3, 999, 2**64 - 1])
    assert table["stack_id"].to_pylist() == [1, 3]
    assert table["frames"].to_pylist() == [list(STACKS[0]), list(STACKS[2])]
    assert table["lines"].to_pylist() == [[10, 20, 30], [10, 20, 30]]
    assert table["origins"].to_pylist()[1] == [0, 0, 2]
    assert reads.stacks(store, []).num_rows == 0


def test_releases_in_order_of_their_first_request(store):
    found = reads.release_order(store, SERVICE).to_pylist()
    by_release = grouped(rows_of(*TABLES), lambda row: row["release"])
    assert found == [
        {
            "release": release,
            "first_ms": min(r["ts_ms"] for r in by_release[release]),
            "last_ms": max(r["ts_ms"] for r in by_release[release]),
        }
        for release in ("r1", "r2")
    ]


def test_the_newest_deploy_of_a_release(store):
    assert reads.deploy_of(store, SERVICE, "r2")["ts_ms"].to_pylist() == [START_MS + 600_000]
    assert reads.deploy_of(store, SERVICE, "r3").num_rows == 0


def test_buckets_are_those_of_the_profiler_at_every_edge(store):
    """Each edge, the ns before and after it, random times and extremes."""
    edges = [wall_edges_ns(index)[0] for index in range(-200, 80)]
    near = [max(math.floor(edge) + step, 0) for edge in edges for step in (-1, 0, 1, 2)]
    slo = [ms * 1_000_000 + step for ms in (100, 250, 500, 1_000, 2_000, 5_000) for step in (-1, 0)]
    random = np.random.default_rng(1).integers(0, 2**40, 2_000).tolist()
    wall = np.array(near + slo + random + [0, 1, 2**53, 2**63], np.uint64)
    batch = rows.request_rows(len(wall), 6, service="edges")
    for column in ("wall_ns", "cost"):
        batch = with_column(batch, column, wall.tolist(), batch[column].type)
    store.insert("requests", batch, "edges")
    found = store._engine.select(
        "SELECT wall_ns, wall_bucket, cost_bucket FROM requests WHERE service = 'edges'", {}
    )
    stored = found["wall_ns"].to_numpy()
    assert len(stored) == len(wall)
    np.testing.assert_array_equal(found["wall_bucket"].to_numpy(), wall_bucket(stored))
    np.testing.assert_array_equal(found["cost_bucket"].to_numpy(), cost_bucket(stored))
