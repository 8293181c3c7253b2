"""The three ways to count what requests cost."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from .perf import Instructions
from .requests import Rounds
from .shim import Shim

__all__ = ["COUNTERS", "simulated"]


def simulated(shim: Shim, rounds: Rounds, number: int) -> dict[str, Any]:
    """Under callgrind: one dump a round and endpoint, labelled with the endpoint's number.

    What came before a window is dumped, not zeroed: costs given to callers outlive a zero.
    """
    library = shim.library
    if library is None or not library.gate_simulated():
        raise RuntimeError("this process does not run under callgrind")
    labels = [str(at).encode() for at in range(len(rounds.endpoints))]
    library.gate_start()
    rounds.run()
    for _ in range(number):
        for label, endpoint in zip(labels, rounds.endpoints):  # noqa: B905 - Python 3.9
            rounds.endpoint(endpoint, _dump(library, b""), _dump(library, label))
    library.gate_stop()
    return {}


def _dump(library: Any, label: bytes) -> Callable[[], None]:
    return lambda: library.gate_dump(label)


def cpu(shim: Shim, rounds: Rounds, number: int) -> dict[str, Any]:
    """Thread CPU time in ns: {"counts": {endpoint: [ns of a round, ...]}}."""
    return _differences(time.thread_time_ns, rounds, number)


def instructions(shim: Shim, rounds: Rounds, number: int) -> dict[str, Any]:
    """Hardware instructions in user space, the same shape as `cpu`."""
    with Instructions() as counter:
        return _differences(counter.read, rounds, number)


def _differences(read: Callable[[], int], rounds: Rounds, number: int) -> dict[str, Any]:
    counts: dict[str, list[int]] = {endpoint.name: [] for endpoint in rounds.endpoints}
    marks = [0, 0]

    def before() -> None:
        marks[0] = read()

    def after() -> None:
        marks[1] = read()

    for _ in range(number):
        for endpoint in rounds.endpoints:
            rounds.endpoint(endpoint, before, after)
            counts[endpoint.name].append(marks[1] - marks[0])
    return {"counts": counts}


COUNTERS = {"callgrind": simulated, "instructions": instructions, "cpu": cpu}
