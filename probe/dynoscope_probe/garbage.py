"""Garbage collection: its time is charged to the request that it interrupts."""

from __future__ import annotations

import gc
from time import perf_counter_ns
from typing import Any, Callable

from dynoscope_probe.request import current_request

__all__ = ["install"]


def install() -> None:
    """Have collections timed. Installing twice is once."""
    if not any(hasattr(callback, "_dynoscope") for callback in gc.callbacks):
        gc.callbacks.append(_timer())


def _timer() -> Callable[[str, Any], None]:
    """One collection runs at a time, whatever the number of threads: one start is enough.

    What it uses is in its closure, since collections go on while the interpreter takes modules
    apart.
    """
    request_of, now_ns = current_request, perf_counter_ns
    started_ns = 0

    def on_collection(phase: str, info: Any) -> None:
        nonlocal started_ns
        if phase == "start":
            started_ns = now_ns()
            return
        request = request_of()
        if request is not None:
            request.gc_ns += now_ns() - started_ns

    on_collection._dynoscope = True  # type: ignore[attr-defined]
    return on_collection
