"""Reads for the fleet part of a comparison, and sides by flag and runtime, against plain loops."""

import pyarrow as pa
import pytest

from collector.answers.sides import Side
from collector.store import fleet_reads, reads
from tests.collector import rows
from tests.collector.answers.oracle import alive, grouped, rows_of
from tests.collector.arrow import with_column
from tests.collector.rows import ENDPOINTS, SERVICE, START_MS

END_MS = START_MS + 600_000
WARMUP = {"warmup_requests": 100, "warmup_s": 60}
N = 900


def requests() -> pa.Table:
    batch = rows.request_rows(N, 1, killed_share=0.02)
    flags = [["new_ranker=on", "b=1,2"] if i % 3 else ["new_ranker=off"] for i in range(N)]
    batch = with_column(batch, "flags", flags, batch["flags"].type)
    runtimes = ["cpython 3.12.1" if i % 2 else "cpython 3.11.2" for i in range(N)]
    batch = with_column(batch, "runtime", runtimes, pa.string())
    return with_column(batch, "ring_id", [1 + i % 2 for i in range(N)], pa.uint64())


SENT = requests()
SIDES = {
    "all": (Side("all", "", "", "", START_MS, END_MS), lambda row: True),
    "flag": (
        Side("f", "", "", "", START_MS, END_MS, flag="new_ranker=on"),
        lambda row: "new_ranker=on" in row["flags"],
    ),
    "runtime": (
        Side("r", "", "", "", START_MS, END_MS, runtime="cpython 3.12.1"),
        lambda row: row["runtime"] == "cpython 3.12.1",
    ),
}


@pytest.fixture(scope="module", autouse=True)
def filled(store):
    store.insert("requests", SENT, "b1")
    store.insert("stack_samples", rows.sample_rows(100, 1), "b1")


@pytest.mark.parametrize("by_flags", [False, True])
@pytest.mark.parametrize("name", SIDES)
def test_traffic_groups(store, name, by_flags):
    side, within = SIDES[name]
    expected = grouped(
        filter(within, alive(rows_of(SENT))),
        lambda row: (
            row["endpoint"],
            row["kind"],
            row["status"],
            "\x1f".join(row["flags"]) if by_flags else "",
            int(row["worker_req"] > 100 or row["worker_age_s"] > 60),
        ),
    )
    table = fleet_reads.traffic_groups(
        store, side, SERVICE, "", by_flags=by_flags, rows_max=10_000, **WARMUP
    )
    found = {
        (r["endpoint"], r["kind"], r["status"], r["flag_set"], r["warm"]): (r["n"], r["cost_sum"])
        for r in table.to_pylist()
        if r["n"]
    }
    assert found == {
        key: (len(group), sum(row["cost"] for row in group)) for key, group in expected.items()
    }


@pytest.mark.parametrize("endpoint", ["", ENDPOINTS[0]])
@pytest.mark.parametrize("name", SIDES)
def test_the_busiest_whole_minute(store, name, endpoint):
    side, within = SIDES[name]
    sent = [row for row in rows_of(SENT) if within(row) and endpoint in ("", row["endpoint"])]
    minutes = grouped(sent, lambda row: row["ts_ms"] // 60_000)
    minute, busiest = max(minutes.items(), key=lambda pair: (len(alive(pair[1])), -pair[0]))
    (found,) = fleet_reads.peak_minutes(store, side, SERVICE, endpoint).to_pylist()
    assert found["minute"] == minute
    assert found["n"] == len(alive(busiest))
    assert found["cost_sum"] == sum(row["cost"] for row in alive(busiest))
    assert found["users"] == len({row["user_hash"] for row in busiest})


def test_minutes_that_are_cut_are_no_peak(store):
    side = Side("cut", "", "", "", START_MS + 1, START_MS + 119_999)
    assert fleet_reads.peak_minutes(store, side, SERVICE, "").num_rows == 0


def test_young_workers(store):
    side, _ = SIDES["all"]
    young = {
        row["ring_id"]
        for row in rows_of(SENT)
        if row["worker_req"] <= 100 and row["worker_age_s"] <= 60
    }
    assert fleet_reads.young_workers(store, side, SERVICE, "", **WARMUP) == len(young) == 2


def test_samples_of_a_runtime_are_those_of_its_rings_and_flags_have_none(store):
    def counted(side: Side) -> int:
        return int(
            sum(reads.stack_windows(store, side, SERVICE, window_ms=60_000)["samples"].to_pylist())
        )

    every = counted(SIDES["all"][0])
    assert every > 0
    assert counted(SIDES["flag"][0]) == 0
    assert counted(SIDES["runtime"][0]) == 0  # all samples are of ring 1
    other = Side("r", "", "", "", START_MS, END_MS, runtime="cpython 3.11.2")
    assert counted(other) == every
