"""A uWSGI application that gives 70% of its CPU to one function and 30% to one that also waits.

Answers with its pid and what each has had of CPU so far, in ns, by its own thread_time_ns.
Environment: RINGS, the ring folder; SEED, of how the work is cut into pieces; WAITS, how often the
one waits: `queries`, as a view that asks a database, or `locks`, after every 0.2 ms.
"""

import json
import os
import random
import sys
import time
from pathlib import Path

import uwsgi

from tests.agent.rings import make_ring, write

RINGS = []
CPU_NS = {"computing": 0, "waiting": 0}
RANDOM = random.Random(int(os.environ.get("SEED", "0")))
#: CPU of one request, s
CPU_S = 0.010
#: s of CPU before a wait, s of a wait: each between these two
PIECES_S, WAITS_S = {
    "queries": ((0.0005, 0.0015), (0.001, 0.005)),
    "locks": ((0.00005, 0.0004), (0.0002, 0.003)),
}[os.environ.get("WAITS", "queries")]


def spin(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        for _ in range(20):
            pass


def computing(seconds):
    spin(seconds)


def waiting(seconds):
    """Its CPU in pieces, with a wait after each."""
    while seconds > 0:
        piece = min(seconds, RANDOM.uniform(*PIECES_S))
        spin(piece)
        seconds -= piece
        time.sleep(RANDOM.uniform(*WAITS_S))


def timed(function, seconds):
    began = time.thread_time_ns()
    function(seconds)
    CPU_NS[function.__name__] += time.thread_time_ns() - began


def view():
    """The waiting function, at random lengths; then the other takes 70% of what both have had."""
    timed(waiting, CPU_S * RANDOM.uniform(0.2, 0.4))
    owed_ns = CPU_NS["waiting"] * 7 / 3 - CPU_NS["computing"]
    timed(computing, max(0.0, owed_ns / 1e9))


def trampoline(call):
    call()


trampoline.__code__ = trampoline.__code__.replace(
    co_name="GET /", co_qualname="GET /", co_filename="<endpoint>"
)


def application(environ, start_response):
    if not RINGS:
        RANDOM.seed(f"{os.environ.get('SEED')} {uwsgi.worker_id()}")
        folder = Path(os.environ["RINGS"])
        RINGS.append(make_ring(folder, sys_path="\n".join(sys.path), worker=uwsgi.worker_id()))
    trampoline(view)
    write(RINGS[0], 1, endpoint="GET /")
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps({"pid": os.getpid(), **CPU_NS}).encode()]
