"""Deep profiles of functions whose cost is known because it is counted without a profiler, too."""

import gc
import os

import dynoscope_probe
from dynoscope_probe.counters import PerfGroup
from tests.pmu.guest.loops import machine_loop
from tests.probe.reading import read_rings

TINY_CALLS = 20_000
FOLDER = "/dev/shm/profiles"
ROUNDS = 3


def tiny(number):
    return number + 1


def many_python():
    total = 0
    for _ in range(TINY_CALLS):
        total = tiny(total)


def many_builtin():
    for number in range(TINY_CALLS):
        max(number, 7)


def other():
    machine_loop(25_000_000)


WORK = {"/python": many_python, "/builtin": many_builtin}


def profile():
    """{path: what it is made of costs without a profiler, and what each profile says}."""
    os.environ.update(DYNOSCOPE_RING_DIR=FOLDER, DYNOSCOPE_DEEP_RATE="1")

    def application(environ, start_response):
        dynoscope_probe.set_endpoint(environ["PATH_INFO"])
        WORK[environ["PATH_INFO"]]()
        other()
        start_response("200 OK", [])
        return [b""]

    wrapped = dynoscope_probe.wsgi(application)
    gc.disable()  # a collection falls into one profile or another
    beside = _counted(other, times=2)
    found = {path: {"true": [_counted(work), beside]} for path, work in WORK.items()}
    for path in list(WORK) * ROUNDS:
        wrapped({"REQUEST_METHOD": "GET", "PATH_INFO": path}, lambda *_: None)
    (ring,) = read_rings(FOLDER)
    for path, work in WORK.items():
        rows = [row for row in ring.function_costs if ring.text(row["endpoint_id"]) == path]
        found[path]["units"] = sorted({row["unit"] for row in rows})
        found[path]["profiled"] = _costs(ring, rows, work.__name__)
        found[path]["other"] = _costs(ring, rows, "other")
        tiny_rows = [row for row in rows if ring.text(row["caller_id"]).endswith(work.__name__)]
        found[path]["calls"] = [row["calls"] for row in tiny_rows if row["calls"] > 1]
    return {"paths": found, "record_units": [record["unit"] for record in ring.records]}


def _costs(ring, rows, name):
    here = [row for row in rows if ring.text(row["function_id"]).endswith(":" + name)]
    return [row["cost_inclusive"] for row in here]


def _counted(work, times=12):
    """Instructions of a function without a profiler, at its last call: its code is warm then."""
    group = PerfGroup()
    for _ in range(times):
        before = group.read()
        work()
        instructions = group.since(before)[1]
    group.close()
    return instructions
