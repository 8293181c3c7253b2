import os
import random
import time
from pathlib import Path

import pyarrow as pa
import pytest

from agent.budget import Budget
from agent.errors import SpoolFailed
from agent.flush import Flush
from agent.limits import Limits
from agent.metrics import Metrics
from agent.sampler import PySpy, py_spy_binary
from agent.sampling import Sampling
from agent.spool import Spool
from agent.statsd import StatsD
from agent.workers import Workers
from tests.agent.processes import ask, target
from tests.agent.rings import make_ring, write


@pytest.fixture
def open_flush(tmp_path):
    """A function that makes a flush over tmp_path/rings and tmp_path/spool, as after a start."""
    opened = []
    (tmp_path / "rings").mkdir()

    def make():
        for flush in opened:
            flush.spool.close()
        limits = Limits()
        spool = Spool(tmp_path / "spool", limits)
        sampling = Sampling(
            PySpy(py_spy_binary()), Budget(1.0), limits, 1, 50, random.Random(1),
            lambda: time.time_ns() // 10**6, time.monotonic,
        )  # fmt: skip
        workers = Workers(tmp_path / "rings", Path("/proc"))
        cursors = spool.cursors()
        parts = (workers, sampling, Metrics(), StatsD(limits), limits, spool)
        opened[:] = [Flush(*parts, "here", "us", time.time_ns, cursors)]
        return opened[0]

    yield make
    opened[0].spool.close()


def spooled(flush, table="requests"):
    """Rows of a table in all spool files, in order; the files are settled."""
    rows = []
    while (file := flush.spool.oldest()) is not None:
        for entry in file.entries:
            if entry.table == table:
                body = flush.spool.body(file, entry)
                rows += pa.ipc.open_stream(body).read_all().to_pylist()
        flush.spool.settled(file)
    return rows


def seqs(flush):
    return [row["seq"] for row in spooled(flush)]


def test_a_flush_sends_what_is_new_once_also_after_a_restart(open_flush, tmp_path):
    ring = make_ring(tmp_path / "rings")
    write(ring, 3)
    flush = open_flush()
    flush.once()
    assert seqs(flush) == [1, 2, 3]
    write(ring, 2)
    flush = open_flush()
    flush.once()
    flush.once()
    assert seqs(flush) == [4, 5]


def test_a_dead_worker_is_drained_to_the_last_record_and_its_ring_removed(open_flush, tmp_path):
    with target("ring_worker", str(tmp_path / "rings"), "64") as process:
        ask(process, "3")
        flush = open_flush()
        flush.once()
        ask(process, "begin")
        ask(process, "4")
    flush.once()
    rows = spooled(flush)
    assert [row["seq"] for row in rows] == list(range(1, 9))
    assert [row["outcome"] for row in rows][-1] == "killed"
    assert rows[-1]["wall_ns"] >= 0
    assert os.listdir(tmp_path / "rings") == []
    flush.once()
    assert seqs(flush) == [] and flush.cursors == {}


def test_a_crash_between_commit_and_removal_tells_the_killed_only_once(open_flush, tmp_path):
    with target("ring_worker", str(tmp_path / "rings"), "64") as process:
        ask(process, "begin")
        ask(process, "2")
    (ring,) = (tmp_path / "rings").iterdir()
    kept = ring.read_bytes()
    flush = open_flush()
    flush.once()
    ring.write_bytes(kept)
    flush = open_flush()
    flush.once()
    assert seqs(flush) == [1, 2, 3]
    assert os.listdir(tmp_path / "rings") == []


def test_a_ring_stays_while_the_spool_cannot_take_it(open_flush, tmp_path):
    with target("ring_worker", str(tmp_path / "rings"), "64") as process:
        ask(process, "5")
    flush = open_flush()
    (tmp_path / "spool").rename(tmp_path / "away")
    for _ in range(2):
        with pytest.raises(SpoolFailed):
            flush.once()
    assert len(os.listdir(tmp_path / "rings")) == 1
    (tmp_path / "away").rename(tmp_path / "spool")
    flush.once()
    assert seqs(flush) == [1, 2, 3, 4, 5]


def test_what_was_overwritten_is_counted_in_limits_once(open_flush, tmp_path):
    ring = make_ring(tmp_path / "rings", records=64)
    write(ring, 64 + 9)
    flush = open_flush()
    flush.once()
    flush.once()
    (row,) = spooled(flush, "limits")
    assert (row["where"], row["what"], row["count"]) == ("agent", "records_dropped", 9)
    assert (row["service"], row["host"]) == ("shop", "web-1")
    assert flush.limits.totals() == {"agent.records_dropped": 9}


def test_a_ring_that_cannot_be_read_costs_no_other_its_flush_and_keeps_its_place(
    open_flush, tmp_path
):
    ring, other = make_ring(tmp_path / "rings"), make_ring(tmp_path / "rings")
    write(ring, 3)
    flush = open_flush()
    flush.once()
    with open(ring.path, "r+b") as file:
        good = file.read(8)
        file.seek(0)
        file.write(b"?")
    flush = open_flush()
    write(other, 2)
    flush.once()
    flush.once()
    assert flush.limits.totals() == {"agent.rings_refused": 1}
    with open(ring.path, "r+b") as file:
        file.write(good)
    write(ring, 1)
    flush.once()
    assert sorted(seqs(flush)) == [1, 1, 2, 2, 3, 4]


def test_samples_go_with_their_stacks_and_the_stacks_once_an_hour(open_flush, tmp_path):
    with target("two_functions") as process:
        make_ring(tmp_path / "rings", pid=process.pid)
        flush = open_flush()
        flush.once()
        for _ in range(2):
            flush.sampling.window(flush.sampling.workers, 50)
            flush.once()
    files = []
    while (file := flush.spool.oldest()) is not None:
        tables = {
            entry.table: pa.ipc.open_stream(flush.spool.body(file, entry)).read_all().to_pylist()
            for entry in file.entries
        }
        files.append(tables)
        flush.spool.settled(file)
    _, first, second = files
    known = {row["stack_id"] for row in first["stacks"]}
    assert {row["stack_id"] for row in first["stack_samples"]} == known
    assert not known & {row["stack_id"] for row in second.get("stacks", [])}
    assert {row["service"] for row in first["stack_samples"]} == {"shop"}
    assert "idle_ticks" in {row["name"] for row in first["metrics"]}
    for tables in (first, second):
        own = {row["function"] for row in tables["line_samples"]}
        assert own <= {frame for row in first["stacks"] for frame in row["frames"]}
        assert own and all(row["line"] and row["samples"] for row in tables["line_samples"])
    assert flush.sampling.waiting().rows == []


def test_the_host_is_what_its_workers_say_else_what_the_agent_was_told(open_flush, tmp_path):
    flush = open_flush()
    flush.once()
    assert {(row["host"], row["region"]) for row in spooled(flush, "metrics")} == {("here", "us")}
    make_ring(tmp_path / "rings")
    flush.once()
    assert {(row["host"], row["region"]) for row in spooled(flush, "metrics")} == {("web-1", "eu")}


def test_what_came_over_statsd_waits_for_the_disk(open_flush, monkeypatch):
    flush = open_flush()
    flush.statsd.add(b"uploads:3|c|#region:eu")
    with monkeypatch.context() as patch:
        patch.setattr(flush.spool, "commit", refuse)
        with pytest.raises(SpoolFailed):
            flush.once()
    flush.once()
    rows = [row for row in spooled(flush, "metrics") if row["source"] == "statsd"]
    assert [(row["name"], row["value"], row["labels"]) for row in rows] == [
        ("uploads", 3.0, ["region=eu"])
    ]
    flush.once()
    assert not [row for row in spooled(flush, "metrics") if row["source"] == "statsd"]


def refuse(*_):
    raise SpoolFailed("the disk is full")
