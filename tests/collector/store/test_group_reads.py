"""Reads of many hosts by their groups against plain loops, on each engine."""

import pytest

from collector.answers.sides import Side
from collector.store import group_reads
from tests.collector import rows
from tests.collector.answers.oracle import alive, failed, grouped, rows_of
from tests.collector.rows import ENDPOINTS, SERVICE, START_MS

HOSTS = [f"web-{number}" for number in range(90)]
REQUESTS = rows.request_rows(3_000, 1, hosts=HOSTS, killed_share=0.02)
SAMPLES = (
    rows.sample_rows(900, 1, hosts=HOSTS),
    rows.sample_rows(300, 2, hosts=HOSTS, contended=1),
)
SIDE = Side("all", "r1", "", "", START_MS + 5, START_MS + 500_000)
WITHIN = {"start_ms": SIDE.from_ms, "end_ms": SIDE.to_ms}
WARMUP = {"warmup_requests": 500, "warmup_s": 300}
MINUTE_MS = 60_000


@pytest.fixture(scope="module", autouse=True)
def filled(store):
    store.insert("requests", REQUESTS, "b1")
    for at, samples in enumerate(SAMPLES):
        store.insert("stack_samples", samples, f"b{at}")


@pytest.fixture(scope="module")
def group_of(store):
    found = group_reads.side_hosts(store, SIDE, SERVICE, "", **WARMUP).to_pylist()
    return {row["host"]: row["host_group"] for row in found}


def is_young(row):
    return row["worker_req"] <= 500 and row["worker_age_s"] <= 300


def test_hosts_of_a_side(store, group_of):
    by_host = grouped(rows_of(REQUESTS, **WITHIN), lambda row: row["host"])
    found = group_reads.side_hosts(store, SIDE, SERVICE, "", **WARMUP).to_pylist()
    assert [row["host"] for row in found] == sorted(by_host)
    for row in found:
        group = by_host[row["host"]]
        times = [one["ts_ms"] for one in group]
        assert (row["seen"], row["first_ms"], row["last_ms"]) == (
            len(group),
            min(times),
            max(times),
        )
        assert row["young"] == sum(map(is_young, group))
    # 90 hosts fall into 64 groups as they would by chance: 48 are expected to have one.
    assert 35 <= len(set(group_of.values())) <= 60
    assert max(group_of.values()) < group_reads.GROUPS


@pytest.mark.parametrize("endpoint", ["", ENDPOINTS[1]])
@pytest.mark.parametrize("step_ms", [MINUTE_MS, 3_600_000, 3_600_000 << 20])
def test_request_groups(store, group_of, endpoint, step_ms):
    sent = [row for row in rows_of(REQUESTS, **WITHIN) if endpoint in ("", row["endpoint"])]
    expected = grouped(
        sent,
        lambda row: (
            group_of[row["host"]],
            row["ts_ms"] // step_ms,
            row["endpoint"],
            int(not is_young(row)),
        ),
    )
    table = group_reads.request_groups(store, SIDE, SERVICE, endpoint, step_ms=step_ms, **WARMUP)
    found = {(r["host_group"], r["step"], r["endpoint"], r["warm"]): r for r in table.to_pylist()}
    assert found.keys() == expected.keys()
    assert table.num_rows == len(expected)
    for key, group in expected.items():
        lived, row = alive(group), found[key]
        assert (row["n"], row["errors"]) == (len(lived), failed(group))
        assert row["cost_sum"] == sum(one["cost"] for one in lived)
        assert row["task_clock_sum"] == sum(one["task_clock_ns"] for one in lived)
        assert (row["kind"], row["cost_unit"], row["cpu_model"]) == (
            group[0]["kind"],
            "cpu_ns",
            "Test CPU",
        )


def test_request_times(store):
    expected = grouped(
        rows_of(REQUESTS, **WITHIN),
        lambda row: (row["ts_ms"] // MINUTE_MS, row["endpoint"], int(not is_young(row))),
    )
    table = group_reads.request_times(store, SIDE, SERVICE, "", window_ms=MINUTE_MS, **WARMUP)
    found = {(r["win"], r["endpoint"], r["warm"]): r for r in table.to_pylist()}
    assert found.keys() == expected.keys()
    assert table.num_rows == len(expected)
    for key, group in expected.items():
        lived, row = alive(group), found[key]
        assert (row["n"], row["cost_sum"]) == (len(lived), sum(one["cost"] for one in lived))
        assert (row["cost_unit"], row["cpu_model"]) == ("cpu_ns", "Test CPU")


@pytest.mark.parametrize("by_hour", [False, True])
@pytest.mark.parametrize("has_young", [False, True])
def test_stack_groups(store, group_of, by_hour, has_young):
    minutes = grouped(
        rows_of(REQUESTS, **WITHIN), lambda row: (row["host"], row["ts_ms"] // MINUTE_MS)
    )
    mostly_young = {
        at
        for at, group in minutes.items()
        if 2 * sum(map(is_young, alive(group))) >= len(alive(group))
    }
    sampled = [
        row
        for row in rows_of(*SAMPLES, **WITHIN)
        if not has_young or (row["host"], row["ts_ms"] // MINUTE_MS) not in mostly_young
    ]
    expected = grouped(
        sampled,
        lambda row: (
            group_of[row["host"]],
            row["ts_ms"] // 3_600_000 if by_hour else 0,
            row["endpoint"],
            row["stack_id"],
            row["contended"],
        ),
    )
    table = group_reads.stack_groups(
        store,
        SIDE,
        SERVICE,
        "",
        by_hour=by_hour,
        has_young=has_young,
        young_ms=MINUTE_MS,
        **WARMUP,
    )
    keys = ("host_group", "hour", "endpoint", "stack_id", "contended")
    found = {tuple(row[key] for key in keys): row for row in table.to_pylist()}
    assert found.keys() == expected.keys()
    for key, group in expected.items():
        assert found[key]["samples"] == sum(row["samples"] for row in group)
        assert found[key]["weight_s"] == pytest.approx(sum(row["weight_s"] for row in group))
    assert has_young == (len(sampled) < len(rows_of(*SAMPLES, **WITHIN)))
