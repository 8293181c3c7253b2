"""One request under cProfile: on and off around the application's code, then costs in the ring.

Up to CPython 3.11 a profiler belongs to one thread. From 3.12 on cProfile watches all threads of
the process, and two of them exclude each other by an error: there a request is profiled only in a
process with one thread that has not imported cProfile itself.
"""

from __future__ import annotations

import os
import sys
import threading
from threading import get_ident
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any, Callable, Optional, Sequence

from dynoscope_probe import fast, guard, layout
from dynoscope_probe.counters import UNIT_CPU_NS, UNIT_INSTRUCTIONS
from dynoscope_probe.endpoint import under_endpoint_name
from dynoscope_probe.function_costs import (
    OTHER_FUNCTION,
    FunctionCost,
    dearest,
    function_costs,
)

if TYPE_CHECKING:
    from dynoscope_probe.deep import Deep
    from dynoscope_probe.overhead import Overhead, Readings

__all__ = ["Profile"]

ROWS_MAX = 500
#: How long the measured overhead is taken to hold.
OVERHEAD_NS = 2 * 10**9
_U32_MAX, _U64_MAX = (1 << 32) - 1, (1 << 64) - 1
_PER_PROCESS = sys.version_info >= (3, 12)

#: What is on, by thread: a forked child turns it off.
_running: dict[int, "Profile"] = {}
#: Profilers that another one has pushed aside: to free them would turn the other one off.
_pushed_aside: list[Any] = []
_watching_forks = False
_imported_first: Optional[bool] = None


class Profile:
    """The profile of one request. Nothing is measured before its frame is called."""

    __slots__ = (
        "_before", "_deep", "_group", "_ident", "_on", "_overhead", "_profiler", "_readings",
        "_request", "_timer", "_unit", "_void",
    )  # fmt: skip

    def __init__(self, deep: Deep, request: Any) -> None:
        self._deep = deep
        self._request = request
        self._group = request.thread.group
        self._unit = UNIT_CPU_NS if self._group is None else UNIT_INSTRUCTIONS
        self._ident = get_ident()
        self._before: Any = None
        self._timer: Any = None
        #: What the profiler costs; None: `_readings` are to tell it, with further ones.
        self._overhead: Optional[Overhead] = None
        self._readings: Optional[Readings] = None
        self._profiler: Any = None
        self._on = False
        #: There is nothing to tell: a profiler was active, or came in between.
        self._void = False

    def frame(self, name: str) -> Callable[..., Any]:
        """An endpoint's frame that profiles what is called through it."""
        start, stop = self._start, self._stop

        def frame(call: Callable[..., Any], *arguments: Any) -> Any:
            mine = False
            try:
                mine = start()
                return call(*arguments)
            finally:
                if mine:
                    stop()

        return under_endpoint_name(frame, name)

    def write(self) -> None:
        """Put the costs into the ring's details. Called at the request's end, in its process."""
        if self._on:
            self._stop()
        try:
            if not self._void and self._profiler is not None:
                self._write()
        finally:  # nothing is profiled any more, nor left to the garbage collector
            self._void = True
            self._request = self._profiler = None

    def _write(self) -> None:
        ring = self._deep.ring
        if self._group is not None and self._group.since(self._before)[0] != UNIT_INSTRUCTIONS:
            ring.count("counter_multiplexed")
            return
        own = (Profile._stop.__code__,)
        stats = self._profiler.getstats()
        costs = function_costs(stats, self._measured_overhead(), self._deep.names.of, own)
        rows, over = dearest(costs, ROWS_MAX)
        if over:
            ring.count("profile_pairs_over", over)
        self._write_rows(rows)

    def _start(self) -> bool:
        """Turn the profiler on; False where it stays as it is."""
        try:
            if self._on or self._void or get_ident() != self._ident:
                return False
            if _is_profiled() or (self._profiler is None and not self._prepare()):
                self._void = True
                self._deep.ring.count("profiles_refused")
                return False
            _running[self._ident] = self
            self._on = True
            self._profiler.enable()
            return True
        except Exception:
            self._on, self._void = False, True
            _running.pop(self._ident, None)
            guard.swallowed()
            return False

    def _stop(self) -> None:
        """Turn it off, unless another profiler has taken its place: that one stays."""
        try:
            self._on = False
            if not _PER_PROCESS and sys.getprofile() is not self._profiler:
                self._void = True
                _pushed_aside.append(self._profiler)
                self._deep.give_up()
                self._deep.ring.count("profiles_refused")
            else:
                self._profiler.disable()
            if _PER_PROCESS and threading.active_count() > 1:  # the request started one
                self._void = True
                self._deep.ring.count("profiles_refused")
            _running.pop(self._ident, None)
        except Exception:
            guard.swallowed()

    def _prepare(self) -> bool:
        """Make the profiler; False where this request's cost cannot be counted."""
        request = self._request
        if not request.countable or not _may_import():
            return False
        import cProfile

        request.countable = False  # with a profiler on it costs more than it would
        self._timer = fast.thread_clock() if self._group is None else self._group.timer()
        self._read_overhead()
        self._profiler = cProfile.Profile(self._timer, 1.0)
        if self._group is not None:
            self._before = self._group.read()
        _watch_forks()
        return True

    def _read_overhead(self) -> None:
        """Take the overhead as it was measured a moment ago, or measure the first half of it."""
        from dynoscope_probe.overhead import readings_of

        known = self._deep.overheads.get(self._unit)
        if known is not None and perf_counter_ns() - known[0] <= OVERHEAD_NS:
            self._overhead = known[1]
        else:
            self._readings = readings_of(self._timer)

    def _measured_overhead(self) -> Overhead:
        """What the profiler cost in this request: by readings from before and after it."""
        from dynoscope_probe.overhead import overhead_of, readings_of

        if self._overhead is None:
            readings = [self._readings or {}]
            if get_ident() == self._ident and not _is_profiled():
                readings.append(readings_of(self._timer))
            self._overhead = overhead_of(*readings)
            self._deep.overheads[self._unit] = perf_counter_ns(), self._overhead
        return self._overhead

    def _write_rows(self, rows: Sequence[FunctionCost]) -> None:
        """Functions whose name finds no room in the string table are added up as `(other)`."""
        ring = self._deep.ring
        other_id = ring.string_id(OTHER_FUNCTION)
        unnamed = FunctionCost(OTHER_FUNCTION, "", 0, 0.0, 0.0)
        for row in rows:
            function_id = ring.string_id(row.function, bulky=True)
            caller_id = ring.string_id(row.caller, bulky=True) or other_id if row.caller else 0
            if function_id:
                ring.write_detail(self._packed(row, function_id, caller_id))
            else:
                unnamed = unnamed._replace(
                    calls=unnamed.calls + row.calls,
                    cost_self=unnamed.cost_self + row.cost_self,
                    cost_inclusive=unnamed.cost_inclusive + row.cost_self,
                )
        if unnamed.calls:
            ring.write_detail(self._packed(unnamed, other_id, 0))

    def _packed(self, row: FunctionCost, function_id: int, caller_id: int) -> bytes:
        request = self._request
        return layout.FUNCTION_COST.pack(
            layout.DETAIL_FUNCTION_COST,
            self._unit,
            function_id,
            caller_id,
            request.endpoint_id,
            min(row.calls, _U32_MAX),
            min(round(row.cost_self), _U64_MAX),
            min(round(row.cost_inclusive), _U64_MAX),
            request.started_ns,
            request.trace[0],
            request.trace[1],
        )


def _is_profiled() -> bool:
    """Whether a profiler watches this thread, or may come to watch it."""
    if sys.getprofile() is not None:
        return True
    if sys.version_info < (3, 12):
        return False
    taken = sys.monitoring.get_tool(sys.monitoring.PROFILER_ID)
    return taken is not None or threading.active_count() > 1


def _may_import() -> bool:
    """Whether cProfile is the probe's alone, where there can be only one."""
    global _imported_first
    if _imported_first is None:
        _imported_first = "cProfile" not in sys.modules
    return _imported_first or not _PER_PROCESS


def _watch_forks() -> None:
    global _watching_forks
    if not _watching_forks:
        _watching_forks = True
        os.register_at_fork(after_in_child=_stop_in_child)


def _stop_in_child() -> None:
    """A child that the application forks in a profiled request is not profiled itself."""
    profile = _running.get(get_ident())
    if profile is not None:
        profile._stop()
