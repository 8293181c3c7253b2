import random
import time
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest

from agent.budget import Budget
from agent.limits import Limits
from agent.requests import Identity
from agent.sampler import PySpy, py_spy_binary
from agent.samples import WorkerView
from agent.sampling import Sampling, cpu_s, spread
from agent.workers import Workers
from tests.agent.processes import ROOT, target, until
from tests.agent.uwsgi_server import load, uwsgi


def sampling(workers, *, share=1.0, window_s=1, rate_hz=50, binary=None):
    made = Sampling(
        PySpy(binary or py_spy_binary()),
        Budget(share),
        Limits(),
        window_s,
        rate_hz,
        random.Random(3),
        lambda: time.time_ns() // 10**6,
        time.monotonic,
    )
    made.workers = tuple(workers)
    return made


def view(process, ring_id=1, service="shop"):
    return WorkerView(ring_id, process.pid, 1, "r1", Identity(service, "h", ""), str(ROOT))


@contextmanager
def running(made):
    stop = Event()
    thread = Thread(target=made.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        made.sampler.stop()
        thread.join(10)
        assert not thread.is_alive()


def test_windows_follow_each_other_and_weights_add_up_to_the_time_of_all_workers():
    with target("two_functions") as one, target("two_functions") as two:
        made = sampling([view(one, 1), view(two, 2)])
        began = time.monotonic()
        with running(made):
            until(lambda: len({row["ts_ms"] for row in made.waiting().rows}) >= 3)
            kept = made.waiting()
            passed_s = time.monotonic() - began
    busy_s = sum(row["weight_s"] for row in kept.rows)
    weight_s = busy_s + sum(seconds for _, seconds in kept.idle.values())
    assert 2 * passed_s * 0.6 < weight_s <= 2 * passed_s * 1.05
    assert {row["ring_id"] for row in kept.rows} == {1, 2}
    assert {row["stack_id"] for row in kept.rows} <= kept.stacks.keys()
    assert set(made.profiled_ms) == {1, 2}


def test_what_is_settled_is_gone_and_what_came_later_stays():
    with target("two_functions") as one:
        made = sampling([view(one)])
        made.window(made.workers, 50)
        first = made.waiting()
        made.window(made.workers, 50)
        made.settle(first)
        rest = made.waiting()
    assert first.rows and rest.rows
    assert not {id(row) for row in first.rows} & {id(row) for row in rest.rows}
    assert next(iter(rest.idle.values()))[0] >= 0


def test_no_budget_puts_windows_off_and_says_so():
    with target("two_functions") as one:
        made = sampling([view(one)], share=0.001)
        made.budget.account(time.monotonic(), cpu_s() - 100)
        with running(made):
            until(lambda: made.state == "waiting for budget")
        assert made.limits.totals()["agent.windows_put_off_for_budget"] >= 1
        assert made.waiting().rows == []


def test_py_spy_that_is_missing_is_counted_and_shown():
    with target("two_functions") as one:
        made = sampling([view(one)], binary="/nonexistent")
        made.window(made.workers, 50)
    assert made.limits.totals() == {"agent.windows_failed": 1}
    assert "does not start" in made.reasons[1]


def test_of_workers_that_are_no_more_nothing_is_kept():
    with target("two_functions") as one:
        made = sampling([view(one)], binary="/nonexistent")
        with running(made):
            until(lambda: made.reasons)
            made.workers = ()
            until(lambda: not made.reasons and made.state == "no worker to sample")
    assert made.reasons == made.profiled_ms == {}
    assert made.waiting().rows == []
    assert made.limits.totals()["agent.windows_failed"] >= 1


def test_a_worker_that_has_gone_is_no_failure():
    with target("two_functions") as one:
        gone = view(one)
    made = sampling([gone])
    made.window([gone], 50)
    assert made.limits.totals() == {}
    assert made.waiting().rows == []


def test_every_service_has_a_worker_in_every_window():
    workers = [
        WorkerView(n, n, 1, "r1", Identity("web" if n < 9 else "tasks", "h", ""), "")
        for n in range(10)
    ]
    rng = random.Random(1)
    seen = set()
    for _ in range(200):
        chosen = spread(workers, 4, rng)
        assert {one.identity.service for one in chosen} == {"web", "tasks"}
        assert len(chosen) == 4
        seen |= {one.ring_id for one in chosen}
    assert seen == set(range(10))
    assert spread(workers, 0, rng) == []


@pytest.mark.parametrize("after_fork", [True, False])
def test_on_cpu_means_on_cpu_on_uwsgi(tmp_path, after_fork):
    options = ["--py-call-osafterfork"] if after_fork else []
    with uwsgi(tmp_path, *options) as url, load(url):
        workers = Workers(tmp_path, Path("/proc"))
        workers.look(1)
        made = sampling(
            [one.view("", "") for one in workers.known.values()], window_s=3, rate_hz=100
        )
        made.window(made.workers, 100)
    samples = made.waiting()
    if not after_fork:
        (reason,) = made.reasons.values()
        assert "py-call-osafterfork" in reason
        assert made.limits.totals() == {"agent.workers_with_wrong_thread": 1}
        assert samples.rows == []
        return
    assert made.reasons == {}
    inside = {"compute": 0, "wait": 0}
    named = 0
    for row in samples.rows:
        for name in inside:
            _, stack = samples.stacks[row["stack_id"]]
            if f"tests.agent.targets.uwsgi_app:{name}" in stack.frames:
                named += row["samples"] * (row["endpoint"] == "GET /")
                inside[name] += row["samples"]
    # Not stopped while it is read, a worker may move on in the middle of a stack.
    assert named >= 0.97 * sum(inside.values())
    assert inside["compute"] > 30
    # A thread that waits for a core counts as on it; such windows are marked.
    contended = any(row["contended"] for row in samples.rows)
    assert inside["wait"] < (1.0 if contended else 0.15) * inside["compute"]
