"""On-CPU means on CPU: the share of a function beside one that waits, on uWSGI, by the agent.

Two workers with one thread each, so at most two are runnable: others on the machine are kept from
coming between by real-time scheduling, where this user may have that. A runnable thread counts as
on CPU, so a function that waits often shows as more than it has: when a wait ends, its thread is
runnable before it runs. With two cores py-spy itself often holds the one that the thread needs.
`queries`: about 3 waits per 3 ms of CPU, as a view that asks a database: within the points.
`locks`: 13. Over 11,200 ticks the computing function had 1,597 samples where its thread CPU time is
worth 1,571, the waiting one 887 where it is worth 672: 60 us more for each wait, of which the
kernel counts 20 to 30 as waiting for a core. So at worst all of that is the waiting function's,
which is what a share may there be low by beyond `points`. Windows with more than 10% of it are
marked contended, and count only where there are no others.
"""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from agent.sampler import py_spy_binary
from agent.sampling import Sampling
from agent.schedstat import schedstat
from agent.workers import Workers
from tests.agent.processes import until
from tests.agent.test_sampler import script
from tests.agent.test_sampling import sampling
from tests.agent.uwsgi_server import load, uwsgi

#: It measures CPU: no other test runs beside it.
pytestmark = pytest.mark.alone

#: What waiting for a core may explain at most, in points.
QUEUEING_POINTS = 10
MODULE = "tests.agent.targets.planted_app"


def first(priority: int) -> tuple[str, ...]:
    """A command prefix: before all ordinary processes."""
    prefix = ("chrt", "--fifo", str(priority))
    may = shutil.which("chrt") and subprocess.run([*prefix, "true"], stderr=-3).returncode == 0
    return prefix if may else ()


def cpu_ns(answers: list[str]) -> dict[str, int]:
    """What both functions have had, over all workers, by their newest answers."""
    newest = {one["pid"]: one for one in map(json.loads, answers)}
    return {name: sum(one[name] for one in newest.values()) for name in ("computing", "waiting")}


@pytest.mark.parametrize(
    ("waits", "seed", "samples", "points"),
    [
        # 600 samples are good to 1.9 points (one sigma); without real-time scheduling, beside
        # other work, shares were up to 13 points low. Waits taken for CPU are 34 off.
        pytest.param("queries", 1, 600, 14.0),
        *(pytest.param("queries", seed, 2500, 5.0, marks=pytest.mark.long) for seed in (2, 3, 4)),
        pytest.param("locks", 2, 2500, 5.0, marks=pytest.mark.long),
    ],
)
def test_a_share_of_the_samples_is_a_share_of_thread_cpu_time(
    tmp_path, monkeypatch, waits, seed, samples, points
):
    monkeypatch.setenv("WAITS", waits)
    options = ["--py-call-osafterfork"]
    with (
        uwsgi(
            tmp_path, *options, app="planted_app", processes=2, seed=seed, within=first(10)
        ) as url,
        load(url, clients=2) as answers,
    ):
        workers = Workers(tmp_path, Path("/proc"))
        until(lambda: workers.look(1) or len(workers.known) == 2)
        made = sampling(
            [one.view("", "") for one in workers.known.values()],
            window_s=2,
            rate_hz=100,
            binary=script(tmp_path, " ".join(["exec", *first(20), py_spy_binary(), '"$@"'])),
        )
        before, ran = cpu_ns(answers[:]), scheduled(made)
        for _ in range(4 * samples // 100):
            made.window(made.workers, 100)
            if sum(counted(made, "samples").values()) >= samples:
                break
        after, queueing = cpu_ns(answers[:]), waited_share(ran, scheduled(made))
    assert made.reasons == {}
    spent = {name: after[name] - before[name] for name in after}
    true = spent["computing"] / sum(spent.values())
    calm = sum(counted(made, "samples").values()) >= samples
    weights = counted(made, "weight_s", contended=not calm)
    seen = weights["computing"] / sum(weights.values())
    explained = min(QUEUEING_POINTS, 100 * (true - true / (1 + queueing)))
    explained = explained if waits == "locks" else 0.0
    told = f"true {true:.3f} seen {seen:.3f}, {calm=}, queueing {queueing:.3f} of the CPU time"
    print(told)
    assert true == pytest.approx(0.7, abs=0.02)
    assert -points - explained < 100 * (seen - true) < points, told


def scheduled(made: Sampling) -> tuple[int, int]:
    """(CPU, waiting for a core) of all workers so far, ns."""
    cpu_ns, wait_ns = zip(
        *(schedstat(one.pid, made.proc_root) for one in made.workers), strict=True
    )
    return sum(cpu_ns), sum(wait_ns)


def waited_share(before: tuple[int, int], after: tuple[int, int]) -> float:
    """Waiting for a core, as a share of the CPU time between the two."""
    return (after[1] - before[1]) / (after[0] - before[0])


def counted(made, column: str, contended: bool = False) -> dict[str, float]:
    """The samples' `column`, summed over the stacks that contain each function; `contended`: also
    those of contended windows."""
    kept = made.waiting()
    found = {"computing": 0.0, "waiting": 0.0}
    for row in kept.rows:
        if row["contended"] and not contended:
            continue
        _, stack = kept.stacks[row["stack_id"]]
        for name in found:
            if f"{MODULE}:{name}" in stack.frames:
                found[name] += row[column]
    return found
