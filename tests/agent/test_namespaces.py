import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from agent.namespaces import (
    INITIAL_NAMESPACE,
    Namespaces,
    Process,
    hidden,
    inner_processes,
    located,
    start_ticks,
)
from agent.rings import open_ring
from agent.run import Agent, Config
from agent.workers import ELSEWHERE, HIDDEN, Workers
from tests.agent.processes import CONTAINER, ROOT, ask, end_container, target
from tests.agent.rings import make_ring
from tests.privileges import needs_root

PROC = Path("/proc")


def child_of(pid):
    (child,) = (PROC / f"{pid}/task/{pid}/children").read_text().split()
    return int(child)


@needs_root
def test_a_worker_in_a_container_is_found_followed_and_drained_when_it_dies(tmp_path):
    workers = Workers(tmp_path, PROC)
    with target("ring_worker", str(tmp_path), "64", within=CONTAINER) as process:
        outer = child_of(process.pid)
        workers.look(1)
        (worker,) = workers.known.values()
        assert worker.ring.header.pid == 1, "its own namespace counts from 1"
        assert (worker.pid, worker.alive, worker.unreachable) == (outer, True, "")
        assert worker.view("", "").pid == outer
        ask(process, "3")
        end_container(process)
    workers.look(2)
    assert not worker.alive


@needs_root
def test_an_agent_that_starts_after_the_container_has_ended_sees_that(tmp_path):
    with target("ring_worker", str(tmp_path), "64", within=CONTAINER) as process:
        end_container(process)
    workers = Workers(tmp_path, PROC)
    workers.look(1)
    (worker,) = workers.known.values()
    assert (worker.alive, worker.pid) == (False, 0)


@needs_root
def test_a_worker_that_cannot_be_seen_is_never_judged_dead(tmp_path):
    """The agent is in a container of its own, beside the worker's."""
    with target("look", str(tmp_path), within=CONTAINER) as agent:
        with target("ring_worker", str(tmp_path), "64", within=CONTAINER):
            assert json.loads(ask(agent, "")) == [[True, 0, ELSEWHERE]]
        assert json.loads(ask(agent, "")) == [[True, 0, ELSEWHERE]]


@needs_root
def test_a_nested_agent_tells_the_end_of_a_worker_it_has_seen(tmp_path):
    nested = CONTAINER + (sys.executable, "-c", NEST, str(tmp_path))
    with subprocess.Popen(nested, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        said = process.stdout.read().splitlines()
    assert [json.loads(line) for line in said] == [[True, True], [False, True]]


NEST = """
import json, sys, time
from pathlib import Path
from agent.workers import Workers
from tests.agent.processes import CONTAINER, end_container, target
rings = Path(sys.argv[1])
workers = Workers(rings, Path("/proc"))
with target("ring_worker", str(rings), "64", within=CONTAINER) as process:
    workers.look(time.time_ns())
    (worker,) = workers.known.values()
    print(json.dumps([worker.alive, worker.pid > 1]))
    end_container(process)
workers.look(time.time_ns())
print(json.dumps([worker.alive, worker.pid > 1]))
"""


@pytest.fixture
def header(tmp_path):
    ring = make_ring(tmp_path, pid=7, process_start_ticks=500, pid_namespace=5)
    return open_ring(Path(ring.path)).header


@pytest.mark.parametrize(
    ("processes", "pid"),
    [
        ([Process(70, 7, 5, 500)], 70),
        ([Process(70, 7, 5, 500), Process(71, 7, 6, 500)], 70),
        ([Process(70, 7, 5, 501)], None),
        ([Process(70, 8, 5, 500)], None),
        ([Process(70, 7, 6, 500)], None),
        ([Process(70, 7, 0, 500)], 70),
        ([Process(70, 7, 0, 500), Process(71, 7, 0, 500)], None),
    ],
    ids=["same", "two", "another start", "another pid", "another namespace", "unseen", "either"],
)
def test_which_process_a_header_means(header, processes, pid):
    assert located(header, processes) == pid


def recorded(root, pid, inner, namespace, ticks=500):
    """A process of a recorded /proc."""
    (root / f"{pid}/ns").mkdir(parents=True)
    (root / f"{pid}/status").write_text(f"Name:\tx\nNSpid:\t{pid}\t{inner}\nThreads:\t1\n")
    rest = " ".join(["0"] * 18)
    (root / f"{pid}/stat").write_text(f"{pid} (x) S {rest} {ticks} 0 0")
    if namespace:
        (root / f"{pid}/ns/pid").write_text("")


def test_a_recorded_proc_with_a_namespace_that_may_not_be_read(tmp_path):
    recorded(tmp_path, 70, 7, namespace=0)
    (tmp_path / "71").mkdir()
    (tmp_path / "72").mkdir()
    (tmp_path / "72/status").write_text("Name:\tx\nNSpid:\t72\n")
    assert list(inner_processes(tmp_path)) == [Process(70, 7, 0, 500)]


def test_without_sight_of_process_1_absence_proves_nothing(tmp_path, header):
    namespaces = Namespaces(tmp_path)
    namespaces.own = INITIAL_NAMESPACE
    assert namespaces.find(header, 1) is None


def test_proc_is_not_searched_at_every_look(tmp_path, header):
    namespaces = Namespaces(tmp_path)
    assert namespaces.find(header, 1) is None
    recorded(tmp_path, 70, 7, namespace=0)
    assert namespaces.find(header, 2) is None
    assert namespaces.find(header, 1 + 30 * 10**9) == 70


@needs_root
def test_records_of_a_container_carry_our_pid_and_its_ring_goes_once_all_is_read(tmp_path):
    (tmp_path / "rings").mkdir()
    agent = Agent(Config("http://127.0.0.1:1", tmp_path / "rings", tmp_path / "spool", None, "h"))
    with target("ring_worker", str(tmp_path / "rings"), "64", within=CONTAINER) as process:
        outer = child_of(process.pid)
        ask(process, "3")
        agent._flush()
        (view,) = agent.sampling.workers
        assert (view.pid, view.inner_pid) == (outer, 1)
        ask(process, "begin")
        ask(process, "4")
        end_container(process)
    agent._flush()
    rows = []
    while (file := agent.spool.oldest()) is not None:
        for entry in file.entries:
            if entry.table == "requests":
                body = agent.spool.body(file, entry)
                rows += pa.ipc.open_stream(body).read_all().to_pylist()
        agent.spool.settled(file)
    agent.spool.close()
    assert [row["seq"] for row in rows] == list(range(1, 9))
    assert rows[-1]["outcome"] == "killed"
    assert {row["pid"] for row in rows} == {outer}
    assert os.listdir(tmp_path / "rings") == []


def test_a_process_that_proc_hides_is_there_all_the_same(tmp_path):
    """As with hidepid, where others' processes are not shown."""
    make_ring(tmp_path / "rings")
    proc = tmp_path / "proc"
    proc.mkdir()
    workers = Workers(tmp_path / "rings", proc)
    workers.look(5)
    (worker,) = workers.known.values()
    assert (worker.alive, worker.unreachable) == (True, HIDDEN)
    assert hidden(os.getpid(), proc) and not hidden(os.getpid(), PROC)
    for pid in (0, 2**22 + 1, 2**32 - 1):
        assert not hidden(pid, proc)
    worker.ring.close()


def test_out_of_files_nobody_is_judged_dead(tmp_path, monkeypatch):
    make_ring(tmp_path)
    workers = Workers(tmp_path, PROC)
    workers.look(1)
    (worker,) = workers.known.values()

    def exhausted(*_):
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr("agent.workers.start_ticks", exhausted)
    workers.look(2)
    assert worker.alive
    worker.ring.close()


def test_start_ticks_of_odd_names_zombies_and_nobody(tmp_path):
    fields = " ".join(str(number) for number in range(4, 30))
    for pid, stat in (("5", "5 (a) (b c) S " + fields), ("6", "6 (z) Z " + fields), ("7", "")):
        (tmp_path / pid).mkdir()
        (tmp_path / pid / "stat").write_text(stat)
    assert [start_ticks(pid, tmp_path) for pid in (5, 6, 7, 8)] == [22, None, None, None]
    assert start_ticks(os.getpid(), PROC) > 0
