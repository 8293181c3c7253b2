"""CPU time without asking the kernel: only while the thread stays on its processor."""

import os
import subprocess
import sys
import threading
from pathlib import Path
from time import perf_counter_ns, sleep, thread_time_ns

import pytest

import dynoscope_probe
from tests.probe.reading import records_in
from tests.probe.test_middleware import call, respond

ROOT = Path(__file__).parents[2]
#: Its requests run on one processor, beside a process that never lets go of it.
CONTENDED = """
import os, signal, sys, time
import dynoscope_probe
from tests.probe.test_middleware import call, respond
os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])
child = os.fork()
while child == 0 and os.getppid() != 1:
    pass
def application(environ, start_response):
    end_ns = time.thread_time_ns() + 300_000
    while time.thread_time_ns() < end_ns:
        sum(range(100))
    return respond(environ, start_response)
wrapped = dynoscope_probe.wsgi(application)
call(wrapped)
before_ns = time.thread_time_ns()
for _ in range(500):
    call(wrapped)
print(time.thread_time_ns() - before_ns)
os.kill(child, signal.SIGKILL)
os.waitpid(child, 0)
"""


def costs_in(ring_dir):
    records = [record for _, record in records_in(ring_dir)]
    return [sum(record[name] for record in records) for name in ("cost", "wall_ns")]


def test_short_waits_are_not_counted(ring_dir):
    def application(environ, start_response):
        sleep(0.0003)
        return respond(environ, start_response)

    wrapped = dynoscope_probe.wsgi(application)
    for _ in range(100):
        call(wrapped)
    cost_ns, wall_ns = costs_in(ring_dir)
    assert wall_ns > 100 * 300_000
    assert cost_ns < wall_ns / 2


def test_waits_for_another_thread_are_not_counted(ring_dir):
    """The interpreter lock is handed to and fro."""
    asked, answered = threading.Semaphore(0), threading.Semaphore(0)

    def answer():
        for _ in range(200):
            asked.acquire()
            end_ns = perf_counter_ns() + 300_000
            while perf_counter_ns() < end_ns:
                pass
            answered.release()

    def application(environ, start_response):
        asked.release()
        answered.acquire()
        return respond(environ, start_response)

    thread = threading.Thread(target=answer)
    thread.start()
    wrapped = dynoscope_probe.wsgi(application)
    for _ in range(200):
        call(wrapped)
    thread.join()
    cost_ns, wall_ns = costs_in(ring_dir)
    assert wall_ns > 200 * 300_000
    assert cost_ns < wall_ns / 2


def test_work_is_counted_whole(ring_dir):
    """Many short requests one after the other, as a busy worker has them."""
    inside_ns = []

    def application(environ, start_response):
        from_ns = thread_time_ns()
        sum(range(5_000))
        inside_ns.append(thread_time_ns() - from_ns)
        return respond(environ, start_response)

    wrapped = dynoscope_probe.wsgi(application)
    before_ns = thread_time_ns()
    for _ in range(1_000):
        call(wrapped)
    all_ns = thread_time_ns() - before_ns
    cost_ns, _ = costs_in(ring_dir)
    assert sum(inside_ns) * 0.8 < cost_ns < all_ns * 1.2


@pytest.mark.parametrize("tunables", ["", "glibc.pthread.rseq=0"])
def test_who_shares_a_processor_pays_only_for_its_part(tmp_path, tunables):
    environ = {**os.environ, "DYNOSCOPE_RING_DIR": str(tmp_path), "GLIBC_TUNABLES": tunables}
    found = subprocess.run(
        [sys.executable, "-c", CONTENDED], env=environ, cwd=ROOT, capture_output=True, text=True
    )
    assert found.returncode == 0, found.stderr[-3000:]
    all_ns = int(found.stdout)
    cost_ns, wall_ns = costs_in(tmp_path)
    assert wall_ns > all_ns * 1.3  # it had to wait
    assert all_ns * 0.7 < cost_ns < all_ns * 1.2
    assert sum(record["ctx_switches"] for _, record in records_in(tmp_path)) > 0
