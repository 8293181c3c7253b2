"""Measurements in the emulated machine: each prints one JSON line, which the host's tests read."""

import gc
import json
import os
import random
import threading

from dynoscope_probe.counters import PerfGroup
from tests.pmu.guest.gating import gate
from tests.pmu.guest.profiling import profile
from tests.pmu.guest.serving import by_path, serving

PARANOID = "/proc/sys/kernel/perf_event_paranoid"
INSTRUCTIONS = (0, 1)
NOBODY = 65534
#: A function's code is specialised at its eighth call, and objects are reused from then on.
WARM_UP = 12


def linear():
    """Both loops by length, from three servers that were started one after another."""
    lengths = {
        "/machine": (100_000, 300_000, 1_000_000, 3_000_000),
        "/python": (1_000, 3_000, 10_000, 30_000),
    }
    runs = []
    for run in range(3):
        # A collection falls into one request or another.
        with serving(f"linear{run}", before=gc.disable) as server:
            for path in lengths:
                for _ in range(WARM_UP):
                    server.get(path, 1_000)
            plan = [(path, n) for path, ns in lengths.items() for n in ns for _ in range(5)]
            for path, passes in plan:
                server.get(path, passes)
            found = server.records(len(plan) + 2 * WARM_UP)
        cut = {path: found[path][WARM_UP:] for path in lengths}
        runs.append(
            {
                path: [[n, cut[path][5 * at : 5 * at + 5]] for at, n in enumerate(ns)]
                for path, ns in lengths.items()
            }
        )
    return {"runs": runs}


def fork():
    """The same requests to a process, its child, and the child of that."""
    each = 30

    def serve(server):
        for generation in range(3):
            for _ in range(each):
                server.handle_request()
            child = os.fork() if generation < 2 else 0
            if child:
                os.waitpid(child, 0)
                return

    paths = ("/machine", "/python", "/while")
    with serving("fork", serve=serve) as server:
        for number in range(3 * each):
            server.get(paths[number % 3], 10_000)
        rings = server.rings(3 * each)
    return {
        "pids": [ring.header["pid"] for ring in rings],
        "generations": [by_path(ring) for ring in rings],
    }


def warm_up():
    """A `while` loop, request for request, in one process that never forks."""
    with serving("warm_up") as server:
        for _ in range(WARM_UP):
            server.get("/while", 10_000)
        return {"records": server.records(WARM_UP)["/while"]}


def threads():
    """Eight clients at once, each with a length of its own, on a server with threads."""
    count, each, step = 8, 6, 1_000_000
    with serving("threads", threaded=True) as server:
        for _ in range(WARM_UP):
            server.get("/warm", 1_000)

        def client(number):
            for _ in range(each):
                server.get(f"/{number}", number * step)

        clients = [threading.Thread(target=client, args=(n,)) for n in range(1, count + 1)]
        for one in clients:
            one.start()
        for one in clients:
            one.join()
        found = server.records(count * each + WARM_UP)
    del found["/warm"]
    return {"passes_step": step, "each": each, "records": found}


def mix():
    """Five endpoints in an order that means nothing."""
    passes = {"/small": 200_000, "/large": 600_000, "/stream": 400_000}
    passes |= {"/python": 3_000, "/while": 3_000}
    plan = [path for path in passes for _ in range(40)]
    random.Random(7).shuffle(plan)
    with serving("mix") as server:
        for path in passes:
            for _ in range(WARM_UP):
                server.get(path, passes[path])
        for path in plan:
            server.get(path, passes[path])
        found = server.records(len(plan) + WARM_UP * len(passes))
    return {"passes": passes, "records": {path: found[path][WARM_UP:] for path in passes}}


def multiplexed():
    """A thread with more hardware events than the processor has counters."""
    kept, passes = [], 3_000_000

    def share():
        kept.extend(PerfGroup((INSTRUCTIONS,)) for _ in range(12))

    with serving("multiplexed", before=share) as server:
        for _ in range(WARM_UP):
            server.get("/warm", 1_000)
        for _ in range(40):
            server.get("/shared", passes)
        (ring,) = server.rings(40 + WARM_UP)
    found = by_path(ring)
    return {
        "passes": passes,
        "records": found["/shared"],
        "all_units": [record["unit"] for records in found.values() for record in records],
        "counted": ring.counters["counter_multiplexed"],
    }


def refused():
    """An ordinary user at three settings of the kernel, the third of which refuses."""
    found = {}
    for level in (1, 2, 3):
        with open(PARANOID, "w") as file:
            file.write(str(level))
        with serving(f"refused{level}", before=_become_nobody) as server:
            server.get("/stream", 1_000)
            (ring,) = server.rings(1)
        found[level] = {
            "header_unit": ring.header["unit"],
            "reason": ring.text(ring.header["unit_reason_id"]),
            "units": [record["unit"] for record in ring.records],
            "ctx_switches": [record["ctx_switches"] for record in ring.records],
        }
    return {"levels": found}


def _become_nobody():
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)


EXPERIMENTS = (linear, fork, warm_up, threads, mix, multiplexed, refused, profile, gate)


def main():
    for experiment in EXPERIMENTS:
        print(json.dumps({"experiment": experiment.__name__, **experiment()}), flush=True)


if __name__ == "__main__":
    main()
