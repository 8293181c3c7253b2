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
    wait_for_records,
)
from tests.probe.test_celery import CELERY, ROOT, send
from tests.probe.test_uwsgi import LINES, uwsgi

WINDOW_S = 1
DEADLINE_S = 120
SHARE = 0.99
COUNTS = [300, pytest.param(2000, marks=pytest.mark.long)]
ENDPOINT = " (<endpoint>:"


@pytest.mark.parametrize("fast", ["1", "0"], ids=["compiled", "python"])
@pytest.mark.parametrize("count", COUNTS)
def test_under_uwsgi(ring_dir, count, fast):
    port = free_port()
    command = uwsgi(port, *LINES, "--module", "tests.probe.apps.plain_app", workers=2)
    env = environment(ring_dir, DYNOSCOPE_FAST=fast)
    with server(command, env, port, cwd=ROOT), load(port, ["/busy?0.02"]):
        stacks = sampled(ring_dir, 2, count, in_request)
    names = endpoints(stacks)
    assert set(names) <= {"GET (unmatched)", None}
    assert_share(names, count)


@pytest.mark.parametrize("fast", ["1", "0"], ids=["compiled", "python"])
@pytest.mark.parametrize("count", COUNTS)
def test_django_with_middleware_that_burns(ring_dir, count, fast):
    """Also where the name is known only after the middleware: the innermost one counts."""
    port = free_port()
    command = uwsgi(port, *LINES, "--module", "tests.probe.apps.burning_app", workers=2)
    paths = ["/items/5/", "/de/about/", "/en/about/", "/streaming/", "/nowhere/"]
    env = environment(ring_dir, DYNOSCOPE_FAST=fast)
    with server(command, env, port, cwd=ROOT), load(port, paths):
        stacks = sampled(ring_dir, 2, count, in_request)
    names = endpoints(stacks)
    assert_share(names, count)
    expected = {"items/<item>", "de/about", "en/about", "streaming"}
    assert set(names) - {None, "GET (unmatched)"} == {f"GET /{name}/" for name in expected}
    in_views = endpoints({s: n for s, n in stacks.items() if ";view (" in s})
    assert set(in_views) == {"GET /items/<item>/", "GET /de/about/", "GET /en/about/"}


@pytest.mark.parametrize("count", COUNTS)
def test_tasks_of_celery_s_prefork_workers(ring_dir, tmp_path, count):
    for folder in ("messages", "control"):
        (tmp_path / folder).mkdir()
    env = environment(ring_dir, BROKER_DIR=str(tmp_path))
    worker = [*CELERY, "worker", "-P", "prefork", "-c", "2", "--without-gossip"]
    send(env, [("feed.fan_out", (0.05,))] * count)
    with process(worker, env, cwd=ROOT):
        stacks = sampled(ring_dir, 2, count, in_task)
    names = endpoints(stacks)
    assert set(names) <= {"task feed.fan_out", None}
    assert_share(names, count)


def in_request(stack):
    return re.fullmatch(r"<module> \(uwsgi:\d+\)", stack) is None


def in_task(stack):
    return "trace_task (celery/app/trace.py" in stack


def assert_share(names, count):
    total = sum(names.values())
    share = 1 - names[None] / total
    print(f"{share:.4%} of {total} samples carry their endpoint")
    assert total >= count
    assert share >= SHARE, names


def endpoints(stacks):
    """Samples by the innermost endpoint frame of their stack; None: it has none."""
    names = Counter()
    for stack, samples in stacks.items():
        inner = [frame for frame in stack.split(";") if ENDPOINT in frame]
        names[inner[-1].partition(ENDPOINT)[0] if inner else None] += samples
    return names


def sampled(ring_dir, workers, count, within):
    """Stacks with their samples, `count` or more, of workers that have served a request already."""
    wait_for_records(ring_dir, 20)
    rings = wait_for(lambda: of_workers(workers, read_rings(ring_dir)), "the workers")
    stacks, end = Counter(), time.monotonic() + DEADLINE_S
    while stacks.total() < count and time.monotonic() < end:
        for ring in rings:
            taken = record(ring.header["pid"], ring_dir.parent / "stacks")
            stacks.update({stack: samples for stack, samples in taken if within(stack)})
    return stacks


def of_workers(workers, rings):
    return len([ring for ring in rings if ring.records]) == workers and rings


def record(pid, file):
    """(stack, root first, and its samples) of a process for some seconds."""
    command = [
        str(BIN / "py-spy"), "record", "--pid", str(pid), "--rate", "200",
        "--duration", str(WINDOW_S), "--format", "raw", "--output", str(file),
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    for line in file.read_text().splitlines():
        stack, _, samples = line.rpartition(" ")
        yield stack, int(samples)


@contextlib.contextmanager
def load(port, paths):
    """Two clients that ask for the paths again and again."""
    done = threading.Event()

    def client():
        number = 0
        while not done.is_set():
            path = paths[number % len(paths)]
            get(port, path)
            number += 1

    clients = [threading.Thread(target=client) for _ in range(2)]
    for one in clients:
        one.start()
    try:
        yield
    finally:
        done.set()
        for one in clients:
            one.join()
