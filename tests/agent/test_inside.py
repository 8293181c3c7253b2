"""Workers in containers: their stacks are taken from inside their pid namespace, or not at all."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest

from agent.inside import NO_CAPABILITY, inner_task_ids, why_not, within
from agent.requests import Identity
from agent.run import Agent, Config
from agent.sampler import PySpy, Target, py_spy_binary
from agent.samples import WorkerView
from agent.sampling import WRONG_THREAD
from agent.workers import Workers
from tests.agent.processes import CONTAINER, ROOT, ask, target, until
from tests.agent.test_namespaces import child_of
from tests.agent.test_sampling import sampling
from tests.agent.uwsgi_server import load, uwsgi
from tests.privileges import needs_root

pytestmark = needs_root
PROC = Path("/proc")
#: As an agent without the one capability that entering needs.
SHUT_OUT = ("setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin")


def test_a_command_counts_pids_as_the_process_does_and_mounts_nothing_outside():
    mounts = Path("/proc/self/mounts").read_text()
    with target("two_functions", within=CONTAINER) as process:
        outer = child_of(process.pid)
        done = subprocess.run(
            [*within(outer), "cat", "/proc/1/cmdline"], capture_output=True, check=True
        )
        assert inner_task_ids(outer, PROC) == {1}
    assert b"two_functions" in done.stdout
    assert Path("/proc/self/mounts").read_text() == mounts
    until(lambda: inner_task_ids(outer, PROC) == frozenset())


def test_stacks_of_a_worker_in_a_container(tmp_path):
    (tmp_path / "rings").mkdir()
    agent = Agent(
        Config("http://127.0.0.1:1", tmp_path / "rings", tmp_path / "spool", None, "h", window_s=2)
    )
    words = (str(tmp_path / "rings"), "65536")
    with target("busy_worker", *words, within=CONTAINER) as process:
        agent._flush()
        (view,) = agent.sampling.workers
        assert (view.pid, view.inner_pid) == (child_of(process.pid), 1)
        agent.sampling.window([view], 100)
        ask(process, "stop")
    kept = agent.sampling.waiting()
    assert agent.sampling.reasons == {}
    assert {row["pid"] for row in kept.rows} == {view.pid}
    assert sum(row["samples"] for row in kept.rows if row["endpoint"] == "GET /feed") > 5
    frames = {frame for _, stack in kept.stacks.values() for frame in stack.frames}
    assert "tests.agent.targets.busy_worker:compute" in frames
    agent.spool.close()


def test_packages_are_looked_for_where_the_worker_has_its_files(tmp_path):
    (tmp_path / "7/root/srv/shop").mkdir(parents=True)
    (tmp_path / "7/root/srv/shop/__init__.py").write_text("")
    made = sampling([])
    made.proc_root = tmp_path
    outside = WorkerView(1, 7, 1, "r1", Identity("shop", "h", ""), "/usr/lib")
    inside = replace(outside, inner_pid=1)
    modules = [made._modules_of(one).of("/srv/shop/cart.py")[0] for one in (outside, inside)]
    assert modules == ["cart", "shop.cart"]


@pytest.mark.parametrize("after_fork", [True, False])
def test_on_cpu_means_on_cpu_on_uwsgi_in_a_container(tmp_path, after_fork):
    options = ["--py-call-osafterfork"] if after_fork else []
    with uwsgi(tmp_path, *options, within=CONTAINER) as url, load(url):
        workers = Workers(tmp_path, PROC)
        until(lambda: workers.look(1) or workers.known)
        (worker,) = workers.known.values()
        assert worker.unreachable == "" and worker.inner_pid > 1
        made = sampling([worker.view("", "")], window_s=2, rate_hz=100)
        made.window(made.workers, 100)
    kept = made.waiting()
    if not after_fork:
        assert (list(made.reasons.values()), kept.rows) == ([WRONG_THREAD], [])
        return
    assert made.reasons == {}
    inside = {"compute": 0, "wait": 0}
    for row in kept.rows:
        for name in inside:
            _, stack = kept.stacks[row["stack_id"]]
            if f"tests.agent.targets.uwsgi_app:{name}" in stack.frames:
                inside[name] += row["samples"]
    # It waits 60% of the time. A thread that waits for a core counts as on it.
    contended = any(row["contended"] for row in kept.rows)
    assert inside["compute"] > 20
    assert inside["wait"] < (1.0 if contended else 0.15) * inside["compute"]


def test_seen_from_outside_every_sample_would_have_a_foreign_thread(tmp_path):
    """The check that keeps waits out holds even if a worker's namespace were overlooked."""
    with uwsgi(tmp_path, "--py-call-osafterfork", within=CONTAINER) as url, load(url):
        workers = Workers(tmp_path, PROC)
        until(lambda: workers.look(1) or workers.known)
        (worker,) = workers.known.values()
        worker.inner_pid = 0
        made = sampling([worker.view("", "")], window_s=1, rate_hz=100)
        made.window(made.workers, 100)
    assert (list(made.reasons.values()), made.waiting().rows) == ([WRONG_THREAD], [])


def test_without_the_capability_nothing_is_sampled_and_the_reason_says_what_mends_it(tmp_path):
    assert why_not(PROC) == "", "root may"
    assert why_not(tmp_path) == NO_CAPABILITY
    with (
        target("ring_worker", str(tmp_path), "64", within=CONTAINER) as process,
        target("look", str(tmp_path), within=SHUT_OUT) as agent,
    ):
        pid = child_of(process.pid)
        assert json.loads(ask(agent, "")) == [[True, pid, NO_CAPABILITY]]
        doctor = [sys.executable, "-m", "dynoscope", "doctor", "--json", "--ring-dir", tmp_path]
        doctor += ["--url", "http://127.0.0.1:1", "--spool", tmp_path / "spool"]
        found = [
            next(one for one in json.loads(said.stdout)["data"] if one["check"] == "containers")
            for said in (
                subprocess.run([*prefix, *doctor], cwd=ROOT, capture_output=True, text=True)
                for prefix in (SHUT_OUT, ())
            )
        ]
    assert [one["state"] for one in found] == ["warning", "ok"]
    assert NO_CAPABILITY in found[0]["says"] and "containers.conf" in found[0]["mend"]


def test_stop_leaves_nothing_behind_in_the_container():
    with target("two_functions", within=CONTAINER) as process:
        outer = child_of(process.pid)
        sampler, windows = PySpy(py_spy_binary()), []
        one = [Target(outer, 1)]
        thread = Thread(target=lambda: windows.extend(sampler.sample(one, 60, 20)))
        thread.start()
        until(lambda: len(_pids_inside(outer)) == 2)
        sampler.stop()
        thread.join(10)
        assert not thread.is_alive()
        until(lambda: _pids_inside(outer) == {outer})
        assert (PROC / f"{outer}/task/{outer}/children").read_text() == "", "no zombie, either"
    assert (windows[0].ticks, windows[0].failure) == (0, "")


def test_a_container_that_ends_in_the_window_is_no_failure():
    with target("two_functions", within=CONTAINER) as process:
        outer = child_of(process.pid)
        sampler, windows = PySpy(py_spy_binary()), []
        thread = Thread(target=lambda: windows.extend(sampler.sample([Target(outer, 1)], 60, 20)))
        thread.start()
        until(lambda: len(_pids_inside(outer)) == 2)
        process.kill()
        thread.join(20)
        assert not thread.is_alive()
    assert len(windows) == 1


def _pids_inside(outer: int) -> set[int]:
    """Living processes of the pid namespace of `outer`."""
    space = (PROC / f"{outer}/ns/pid").stat().st_ino
    found = set()
    for entry in PROC.iterdir():
        try:
            if entry.name.isdigit() and (entry / "ns/pid").stat().st_ino == space:
                found.add(int(entry.name))
        except OSError:
            continue
    return found
