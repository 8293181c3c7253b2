"""On-CPU samples of live workers carry their endpoint, counted over all samples in requests.

A uWSGI worker runs Python only to serve a request: every stack is in one that has more than the
frame of the script that started uWSGI. A Celery worker also fetches and acknowledges: a stack is in
a task if it has a frame of Celery's tracer, which calls the probe, which calls the task.
"""

import contextlib
import re
import subprocess
import threading
import time
from collections import Counter

import pytest

from tests.probe.reading import read_rings
from tests.probe.serving import (
    BIN,
    environment,
    free_port,
    get,
    process,
    server,
    wait_for,
)
from tests.probe.test_celery import CELERY, ROOT, send
from tests.probe.test_uwsgi import LINES, uwsgi

#: It measures CPU: no other test runs beside it.
pytestmark = pytest.mark.alone

WINDOW_S = 2
SHARE = 0.99
#: Against a hang only: it is as many samples as are wanted that end the sampling.
DEADLINE_S = 900
#: (samples, CPU seconds of a request). Short requests show how little is outside their frames. Few
#: samples are judged on long ones: on a busy machine a worker that has just woken for a request is
#: often made to wait at once, and all samples of that time show the request's first lines.
CASES = [(300, 0.4), pytest.param(2000, 0.05, marks=pytest.mark.long)]
#: More CPU time than is sampled before there are enough, however slow the machine is.
TASKS_S = 200
ENDPOINT = " (<endpoint>:"


@pytest.mark.parametrize("fast", ["1", "0"], ids=["compiled", "python"])
@pytest.mark.parametrize(("count", "burn_s"), CASES)
def test_under_uwsgi(ring_dir, count, burn_s, fast):
    port = free_port()
    command = uwsgi(port, *LINES, "--module", "tests.probe.apps.plain_app", workers=2)
    env = environment(ring_dir, DYNOSCOPE_FAST=fast)
    with server(command, env, port, cwd=ROOT), load(port, [f"/busy?{burn_s}"]):
        stacks = sampled(ring_dir, 2, count, in_request)
    names = endpoints(stacks)
    assert set(names) <= {"GET (unmatched)", None}
    assert_share(stacks)


@pytest.mark.parametrize("fast", ["1", "0"], ids=["compiled", "python"])
@pytest.mark.parametrize(("count", "burn_s"), CASES)
def test_django_with_middleware_that_burns(ring_dir, count, burn_s, fast):
    """Also where the name is known only after the middleware: the innermost one counts."""
    port = free_port()
    command = uwsgi(port, *LINES, "--module", "tests.probe.apps.burning_app", workers=2)
    paths = ["/items/5/", "/de/about/", "/en/about/", "/streaming/", "/nowhere/"]
    env = environment(ring_dir, DYNOSCOPE_FAST=fast, BURN_S=str(burn_s / 5))
    in_view = {"GET /items/<item>/", "GET /de/about/", "GET /en/about/"}
    names = {*in_view, "GET /streaming/", "GET (unmatched)"}
    with server(command, env, port, cwd=ROOT), load(port, paths):
        stacks = sampled(
            ring_dir, 2, count, in_request,
            lambda stacks: endpoints(stacks).keys() >= names and of_views(stacks).keys() >= in_view,
        )  # fmt: skip
    assert_share(stacks)
    assert set(endpoints(stacks)) - {None} == names
    assert set(of_views(stacks)) == in_view


@pytest.mark.parametrize(("count", "burn_s"), CASES)
def test_tasks_of_celery_s_prefork_workers(ring_dir, tmp_path, count, burn_s):
    for folder in ("messages", "control"):
        (tmp_path / folder).mkdir()
    env = environment(ring_dir, BROKER_DIR=str(tmp_path))
    worker = [*CELERY, "worker", "-P", "prefork", "-c", "2", "--without-gossip"]
    send(env, ("feed.fan_out", (burn_s,)), times=int(TASKS_S / burn_s))
    with process(worker, env, cwd=ROOT):
        stacks = sampled(ring_dir, 2, count, in_task)
    names = endpoints(stacks)
    assert set(names) <= {"task feed.fan_out", None}
    assert_share(stacks)


def in_request(stack):
    return re.fullmatch(r"<module> \(uwsgi:\d+\)", stack) is None


def of_views(stacks):
    return endpoints({stack: n for stack, n in stacks.items() if ";view (" in stack})


def in_task(stack):
    return "trace_task (celery/app/trace.py" in stack


def assert_share(stacks):
    outside = Counter({stack: n for stack, n in stacks.items() if ENDPOINT not in stack})
    share = 1 - outside.total() / stacks.total()
    print(f"{share:.4%} of {stacks.total()} samples carry their endpoint")
    print(*outside.most_common(), sep="\n")
    assert share >= SHARE, outside.most_common(20)


def endpoints(stacks):
    """Samples by the innermost endpoint frame of their stack; None: it has none."""
    names = Counter()
    for stack, samples in stacks.items():
        inner = [frame for frame in stack.split(";") if ENDPOINT in frame]
        names[inner[-1].partition(ENDPOINT)[0] if inner else None] += samples
    return names


def sampled(ring_dir, workers, count, within, enough=lambda stacks: True):
    """Stacks with their samples, `count` or more and `enough`, of workers that have served."""
    rings = wait_for(lambda: of_workers(workers, read_rings(ring_dir)), "the workers")
    files = {ring.header["pid"]: ring_dir.parent / f"{ring.header['pid']}.raw" for ring in rings}
    stacks, end = Counter(), time.monotonic() + DEADLINE_S
    while stacks.total() < count or not enough(stacks):
        assert time.monotonic() < end, endpoints(stacks)
        recording = [record(pid, file) for pid, file in files.items()]
        assert [one.wait() for one in recording] == [0] * workers
        for file in files.values():
            taken = map(of_line, file.read_text().splitlines())
            stacks.update({stack: samples for stack, samples in taken if within(stack)})
    return stacks


def of_workers(workers, rings):
    return len([ring for ring in rings if ring.records]) == workers and rings


def record(pid, file):
    """A sampler that writes the stacks of a process into the file for some seconds."""
    command = [
        str(BIN / "py-spy"), "record", "--pid", str(pid), "--rate", "200",
        "--duration", str(WINDOW_S), "--format", "raw", "--output", str(file),
    ]  # fmt: skip
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def of_line(line):
    """(stack, root first, and its samples)."""
    stack, _, samples = line.rpartition(" ")
    return stack, int(samples)


@contextlib.contextmanager
def load(port, paths):
    """Two clients that ask for the paths again and again, each for another at a time."""
    done = threading.Event()

    def client(number):
        while not done.is_set():
            path = paths[number % len(paths)]
            get(port, path)
            number += 1

    clients = [threading.Thread(target=client, args=(2 * number,)) for number in range(2)]
    for one in clients:
        one.start()
    try:
        yield
    finally:
        done.set()
        for one in clients:
            one.join()
