"""One request or task while it runs: what it has used so far, and its record at the end."""

from __future__ import annotations

import os
import sys
from contextvars import ContextVar
from os import getpid
from threading import get_ident
from time import perf_counter_ns, thread_time_ns, time_ns
from typing import Any, Callable, Optional

from dynoscope_probe import fast, guard, layout
from dynoscope_probe.counters import (
    UNIT_CPU_NS,
    UNIT_INSTRUCTIONS,
    UNIT_NONE,
    context_switches,
    in_greenlet,
    moved_back,
)
from dynoscope_probe.process import Process, ThreadState, count_unrecorded, current_process
from dynoscope_probe.ring import NO_SLOT
from dynoscope_probe.spans import CACHE, CALLS_MAX, DB, RPC, Call, Place, write_spans
from dynoscope_probe.trace import trace_context, tracestate_of

__all__ = [
    "DISCONNECTED",
    "ERROR",
    "HTTP",
    "OK",
    "TASK",
    "Request",
    "begin_request",
    "current_request",
    "name_request",
    "set_current_request",
    "start_request",
]

HTTP, TASK = layout.KINDS.index("http"), layout.KINDS.index("task")
OK, ERROR = layout.OUTCOMES.index("ok"), layout.OUTCOMES.index("error")
DISCONNECTED = layout.OUTCOMES.index("disconnected")
FLAGS_MAX = 64
STATEMENTS_MAX = 64
_U32_MAX, _U64_MAX = (1 << 32) - 1, (1 << 64) - 1
STATUS_LINES_MAX = 256
#: For so long a thread is hardly ever interrupted: the time that passed is its CPU time.
UNINTERRUPTED_NS = 20_000
_STATUS: dict[str, int] = {"": 0}
#: ids and calls, then ns, of the three dearest statements.
_NO_STATEMENTS = (0, 0, 0, 0, 0, 0, 0, 0, 0)

_current: ContextVar[Optional["Request"]] = ContextVar("dynoscope_request", default=None)
#: The request that this thread of control is in, if any.
current_request = _current.get
set_current_request = _current.set
#: Process, thread's state, endpoint, (its frame, its string id), `Request.routing`, `naming`.
Named = tuple[Process, ThreadState, str, tuple[Callable[..., Any], int], Any, Any]
#: environ -> (the endpoint's name, what `Request.routing` is to be)
Namer = Callable[[dict[str, Any]], tuple[str, Any]]
_pack_slot = layout.SLOT.pack
_pack_record = layout.RECORD.pack


def begin_request(
    kind: int, endpoint: Namer, environ: dict[str, Any], thread: Any = None
) -> Optional[Request]:
    """Begin to count; None where nothing is to be counted (silent, or inside another request).

    `thread`: a state in the place of this thread's. Never raises.
    """
    named = name_request(endpoint, environ, thread)
    return None if named is None else start_request(kind, environ, named)


def name_request(endpoint: Namer, environ: dict[str, Any], thread: Any = None) -> Optional[Named]:
    """What comes before the endpoint's frame can be entered; None: nothing is to be counted."""
    try:
        process = current_process()
        if process is None:
            count_unrecorded()
            return None
        outer = current_request()
        if outer is not None and outer.process is process:
            if outer.running and not outer.ended:
                return None
            outer.end(DISCONNECTED)  # its server never closed the response
        thread = thread or process.thread()
        clock: Callable[[], Any] = thread_time_ns if thread.group is None else thread.group.read
        named_from_ns, before = perf_counter_ns(), clock()
        name, routing = endpoint(environ)
        naming = None
        if routing is not None:
            wall_ns = perf_counter_ns() - named_from_ns
            undisturbed = wall_ns <= UNINTERRUPTED_NS and thread.group is None
            naming = wall_ns, before, before + wall_ns if undisturbed else clock()
        return process, thread, name, process.endpoint(name), routing, naming
    except Exception:
        _swallow_half_begun()
        return None


def start_request(kind: int, environ: dict[str, Any], named: Named) -> Optional[Request]:
    """Count from here on. Never raises."""
    try:
        return Request(kind, environ, named)
    except Exception:
        _swallow_half_begun()
        return None


def _swallow_half_begun() -> None:
    set_current_request(None)  # half begun, it would pass for what later requests are inside of
    guard.swallowed()


class Request:
    """What one request used so far. Hooks add to its public numbers; `end` writes the record."""

    __slots__ = (
        "before", "cache_calls", "cache_ns", "calls", "countable", "db_calls", "db_ns", "deep",
        "early_name", "ended", "endpoint_id", "error_fp", "error_id", "flags", "frame", "gc_ns",
        "group", "kind", "naming", "number", "process", "routing", "rpc_calls", "rpc_ns", "running",
        "started_monotonic_ns", "started_ns", "statements", "status_line", "switches", "thread",
        "trace", "tracestate", "user_hash",
    )  # fmt: skip

    def __init__(self, kind: int, environ: dict[str, Any], named: Named) -> None:
        """`early_name`: the name that it began under, known before the framework's own code ran;
        `routing`: what the framework may take for the answer of its own routing; `naming`: time
        (ns) that finding the name took, and the counter's readings around it."""
        process, thread, self.early_name, known, self.routing, self.naming = named
        self.process, self.thread = process, thread
        self.kind = kind
        self.frame, self.endpoint_id = known
        self.ended = False
        #: True while the application's code runs, False between the parts of a streamed response.
        self.running = True
        #: `200 OK`; a task has none.
        self.status_line = ""
        self.db_ns = self.db_calls = self.cache_ns = self.cache_calls = 0
        self.rpc_ns = self.rpc_calls = self.gc_ns = 0
        #: The first of its database, cache and outgoing calls.
        self.calls: list[Call] = []
        #: String id and fingerprint of the error that it met.
        self.error_id = self.error_fp = self.user_hash = 0
        #: String id of a statement -> [calls, ns].
        self.statements: Optional[dict[int, list[int]]] = None
        self.flags: Optional[dict[str, str]] = None
        traceparent = environ.get("HTTP_TRACEPARENT")
        self.trace = trace = trace_context(
            traceparent, process.random_bits, process.trace_threshold
        )
        #: What other tracers hand on beside the caller's traceparent.
        self.tracestate = tracestate_of(trace, environ) if traceparent else ""
        self.number = process.next_request()
        self.started_ns = started_ns = time_ns()
        self.started_monotonic_ns = monotonic_ns = perf_counter_ns()
        slot = thread.slot
        if slot != NO_SLOT:
            in_flight = _pack_slot(
                1, thread.native_id, started_ns, monotonic_ns, self.endpoint_id, kind, trace[0],
                trace[1],
            )  # fmt: skip
            process.ring.begin(slot, in_flight)
        set_current_request(self)
        self.countable = not in_greenlet()
        self.group = thread.group
        #: The profile of a request that was chosen for one.
        self.deep: Any = None
        deep = process.deep
        if deep.control[0] != deep.seen or self.number >= deep.due:
            deep.begin(self)
        #: Context switches of its thread before it; a group counts them itself.
        self.switches = context_switches() if self.group is None else 0
        # Last, so that the probe's own work is not counted.
        self.before: Any = thread_time_ns() if self.group is None else self.group.read()

    @property
    def status(self) -> int:
        """Status of the response, 0 while there is none."""
        known = _STATUS.get(self.status_line)
        if known is None:
            digits = self.status_line[:3]
            known = int(digits) if digits.isdigit() and digits.isascii() else 0
            if len(_STATUS) < STATUS_LINES_MAX:
                _STATUS[self.status_line] = known
        return known

    def name(self, endpoint: str) -> None:
        """Give the record (and later frames) another endpoint: the last name counts."""
        self.frame, self.endpoint_id = self.process.endpoint(endpoint)
        self.process.deep.renamed(self)

    def count_naming(self) -> None:
        """Finding the name did the application's work: it is counted, though it came before."""
        if self.naming is None:
            return
        (wall_ns, start, end), self.naming = self.naming, None
        self.started_ns -= wall_ns
        self.started_monotonic_ns -= wall_ns
        if self.group is None:
            self.before -= end - start
        else:
            self.before = moved_back(self.before, start, end)

    def add_db_call(
        self, statement_id: int, started_ns: int, ended_ns: int, outcome: int, nested: Place = None
    ) -> None:
        """Count one database call (perf_counter_ns); `statement_id` 0: its text is not known."""
        self.db_ns += ended_ns - started_ns
        self.db_calls += 1
        if statement_id:
            self._add_statement(statement_id, ended_ns - started_ns)
        if len(self.calls) < CALLS_MAX and not self.ended:
            self.calls.append((DB, statement_id, started_ns, ended_ns, outcome, 0, nested))

    def add_cache_call(
        self, name: str, started_ns: int, ended_ns: int, outcome: int, nested: Place = None
    ) -> None:
        """Count one cache call (perf_counter_ns)."""
        self.cache_ns += ended_ns - started_ns
        self.cache_calls += 1
        if len(self.calls) < CALLS_MAX and not self.ended:
            self.calls.append((CACHE, name, started_ns, ended_ns, outcome, 0, nested))

    def add_rpc_call(
        self, name: str, started_ns: int, ended_ns: int, outcome: int, status: int, nested: Place
    ) -> None:
        """Count one outgoing call (perf_counter_ns), answered with an HTTP status (0: none)."""
        self.rpc_ns += ended_ns - started_ns
        self.rpc_calls += 1
        if len(self.calls) < CALLS_MAX and not self.ended:
            self.calls.append((RPC, name, started_ns, ended_ns, outcome, status, nested))

    def _add_statement(self, string_id: int, ns: int) -> None:
        if self.statements is None:
            self.statements = {}
        known = self.statements.get(string_id)
        if known is not None:
            known[0] += 1
            known[1] += ns
        elif len(self.statements) < STATEMENTS_MAX:
            self.statements[string_id] = [1, ns]

    def add_flag(self, name: str, value: str) -> None:
        """Note that the request ran with a feature flag at a value."""
        if self.flags is None:
            self.flags = {}
        if name in self.flags or len(self.flags) < FLAGS_MAX:
            self.flags[name] = value

    def end(self, outcome: int) -> None:
        """Write the record, once. Never raises."""
        if self.ended:
            return
        self.ended = True
        try:
            process = self.process
            if getpid() != process.pid:  # a child that the application forked in mid-request
                return
            spent = self._spent()
            if current_request() is self:
                set_current_request(None)
            wall_ns = perf_counter_ns() - self.started_monotonic_ns
            process.ring.write(self._record(outcome, wall_ns, *spent))
            if self.trace[2] or outcome == ERROR or wall_ns > process.slow_ns:
                write_spans(self, outcome, wall_ns)
            if self.deep is not None:
                self.deep.write()
            if self.thread.slot != NO_SLOT:
                process.ring.end(self.thread.slot)
        except Exception:
            guard.swallowed()
        finally:
            self.calls = []  # they hold the request: it is not left to the garbage collector

    def _spent(self) -> tuple[int, int, int, int]:
        """(unit, cost, task_clock_ns, context switches)."""
        if not self.countable or get_ident() != self.thread.ident:  # closed by another thread
            return UNIT_NONE, 0, 0, 0
        if self.group is None:
            spent_ns = thread_time_ns() - self.before
            return UNIT_CPU_NS, spent_ns, spent_ns, context_switches() - self.switches
        spent = self.group.since(self.before)
        if spent[0] != UNIT_INSTRUCTIONS:
            self.process.ring.count("counter_multiplexed")
        return spent

    def _record(
        self, outcome: int, wall_ns: int, unit: int, cost: int, task_clock_ns: int, switches: int
    ) -> bytes:
        process, trace = self.process, self.trace
        dearest = _NO_STATEMENTS if self.statements is None else _dearest(self.statements)
        age_ns = self.started_monotonic_ns - process.started_monotonic_ns
        return _pack_record(
            self.kind,
            outcome,
            unit,
            trace[2],
            self.status,
            0,
            self.started_ns,
            wall_ns,
            cost,
            task_clock_ns,
            switches,
            self.number & _U32_MAX,
            self.endpoint_id,
            0 if self.flags is None else self._flags_id(self.flags),
            self.error_id,
            age_ns // 1_000_000_000,
            self.db_ns,
            self.cache_ns,
            self.rpc_ns,
            self.gc_ns,
            self.db_calls,
            self.cache_calls,
            trace[0],
            trace[1],
            trace[4],
            self.user_hash,
            self.error_fp,
            *dearest,
            self.thread.slot,
            self.rpc_calls,
        )

    def _flags_id(self, flags: dict[str, str]) -> int:
        text = "\x1f".join(sorted("%s=%s" % flag for flag in flags.items()))
        return self.process.ring.string_id(text)


def _dearest(statements: dict[int, list[int]]) -> list[int]:
    """(id, calls) of the three dearest statements, then the ns of each; zeros fill up."""
    best = sorted(statements.items(), key=lambda item: -item[1][1])[:3]
    best += [(0, [0, 0])] * (3 - len(best))
    return [n for key, (calls, _) in best for n in (key, calls)] + [ns for _, (_, ns) in best]


def _swallow(error: Exception) -> None:
    """As `except Exception` would, for the compiled part."""
    try:
        raise error
    except Exception:
        guard.swallowed()


def _compiled_core() -> Any:
    """The compiled part, whose `begin` is `begin_request`; None where pure Python serves."""
    compiled = fast.compiled()
    if compiled is None or not fast.knows_slots(compiled.Count, Request):
        return None
    core = compiled.Core(
        current_process=current_process,
        count_unrecorded=count_unrecorded,
        current=_current,
        modules=sys.modules,
        in_greenlet=in_greenlet,
        trace_context=trace_context,
        tracestate_of=tracestate_of,
        dearest=_dearest,
        write_spans=write_spans,
        swallow=_swallow,
        random_bytes=os.urandom,
    )
    core.request_type = fast.compiled_class(compiled.Count, Request)
    return core


compiled_core = _compiled_core()
if compiled_core is not None:
    Request = compiled_core.request_type  # type: ignore[misc]
    begin_request = compiled_core.begin
