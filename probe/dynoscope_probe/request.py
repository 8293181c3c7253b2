"""One request or task while it runs: what it has used so far, and its record at the end."""

from __future__ import annotations

from contextvars import ContextVar
from os import getpid
from threading import get_ident
from time import perf_counter_ns, thread_time_ns, time_ns
from typing import Any, Callable, Optional

from dynoscope_probe import guard, layout
from dynoscope_probe.counters import UNIT_CPU_NS, UNIT_INSTRUCTIONS, UNIT_NONE, in_greenlet
from dynoscope_probe.process import Process, current_process
from dynoscope_probe.ring import NO_SLOT
from dynoscope_probe.trace import trace_context

__all__ = [
    "DISCONNECTED",
    "ERROR",
    "HTTP",
    "OK",
    "TASK",
    "Request",
    "begin_request",
    "current_request",
]

HTTP, TASK = layout.KINDS.index("http"), layout.KINDS.index("task")
OK, ERROR = layout.OUTCOMES.index("ok"), layout.OUTCOMES.index("error")
DISCONNECTED = layout.OUTCOMES.index("disconnected")
FLAGS_MAX = 64
STATEMENTS_MAX = 64
_U32_MAX, _U64_MAX = (1 << 32) - 1, (1 << 64) - 1
STATUS_LINES_MAX = 256
_STATUS: dict[str, int] = {"": 0}
#: ids and calls, then ns, of the three dearest statements.
_NO_STATEMENTS = (0, 0, 0, 0, 0, 0, 0, 0, 0)

_current: ContextVar[Optional["Request"]] = ContextVar("dynoscope_request", default=None)
#: The request that this thread of control is in, if any.
current_request = _current.get
_set_current = _current.set
_pack_slot = layout.SLOT.pack
_pack_record = layout.RECORD.pack


def begin_request(
    kind: int, endpoint: Callable[[dict[str, Any]], str], environ: dict[str, Any]
) -> Optional[Request]:
    """Begin to count; None where nothing is to be counted (silent, or inside another request).

    `endpoint(environ)` gives its name. Never raises.
    """
    try:
        process = current_process()
        if process is None:
            return None
        outer = current_request()
        if outer is not None and outer.process is process:
            if outer.running:
                return None
            outer.end(DISCONNECTED)  # its server never closed the response
        return Request(process, kind, endpoint(environ), environ.get("HTTP_TRACEPARENT"))
    except Exception:
        guard.swallowed()
        return None


class Request:
    """What one request used so far. Hooks add to its public numbers; `end` writes the record."""

    __slots__ = (
        "before",
        "cache_calls",
        "cache_depth",
        "cache_ns",
        "countable",
        "db_calls",
        "db_ns",
        "early_name",
        "ended",
        "endpoint_id",
        "error_fp",
        "error_id",
        "flags",
        "frame",
        "group",
        "kind",
        "number",
        "process",
        "running",
        "started_monotonic_ns",
        "started_ns",
        "statements",
        "status_line",
        "thread",
        "trace",
        "user_hash",
    )

    def __init__(
        self, process: Process, kind: int, endpoint: str, traceparent: Optional[str]
    ) -> None:
        self.process = process
        self.kind = kind
        #: The name that it began under, known before the framework's own code ran.
        self.early_name = endpoint
        self.frame, self.endpoint_id = process.endpoint(endpoint)
        self.ended = False
        #: True while the application's code runs, False between the parts of a streamed response.
        self.running = True
        #: `200 OK`; a task has none.
        self.status_line = ""
        self.db_ns = self.db_calls = self.cache_ns = self.cache_calls = 0
        #: 1 within a cache call: calls within calls do not count.
        self.cache_depth = 0
        #: String id and fingerprint of the error that it met.
        self.error_id = self.error_fp = self.user_hash = 0
        #: String id of a statement -> [calls, ns].
        self.statements: Optional[dict[int, list[int]]] = None
        self.flags: Optional[dict[str, str]] = None
        self.thread = thread = process.thread()
        self.trace = high, low, _ = trace_context(traceparent, process.random_bits)
        self.number = process.next_request()
        self.started_ns = started_ns = time_ns()
        self.started_monotonic_ns = monotonic_ns = perf_counter_ns()
        slot = thread.slot
        if slot != NO_SLOT:
            in_flight = _pack_slot(
                1, thread.native_id, started_ns, monotonic_ns, self.endpoint_id, kind, high, low
            )
            process.ring.begin(slot, in_flight)
        _set_current(self)
        self.countable = not in_greenlet()
        self.group = thread.group
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

    def add_statement(self, string_id: int, ns: int) -> None:
        """Count one call of a statement."""
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
                _set_current(None)
            process.ring.write(self._record(outcome, perf_counter_ns(), *spent))
            if self.thread.slot != NO_SLOT:
                process.ring.end(self.thread.slot)
        except Exception:
            guard.swallowed()

    def _spent(self) -> tuple[int, int, int, int]:
        """(unit, cost, task_clock_ns, context switches)."""
        if not self.countable or get_ident() != self.thread.ident:  # closed by another thread
            return UNIT_NONE, 0, 0, 0
        if self.group is None:
            spent_ns = thread_time_ns() - self.before
            return UNIT_CPU_NS, spent_ns, spent_ns, 0
        spent = self.group.since(self.before)
        if spent[0] != UNIT_INSTRUCTIONS:
            self.process.ring.count("counter_multiplexed")
        return spent

    def _record(
        self, outcome: int, now_ns: int, unit: int, cost: int, task_clock_ns: int, switches: int
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
            now_ns - self.started_monotonic_ns,
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
            0,
            0,
            self.db_calls,
            self.cache_calls,
            trace[0],
            trace[1],
            0,
            self.user_hash,
            self.error_fp,
            *dearest,
            self.thread.slot,
            0,
        )

    def _flags_id(self, flags: dict[str, str]) -> int:
        text = "\x1f".join(sorted("%s=%s" % flag for flag in flags.items()))
        return self.process.ring.string_id(text)


def _dearest(statements: dict[int, list[int]]) -> list[int]:
    """(id, calls) of the three dearest statements, then the ns of each; zeros fill up."""
    best = sorted(statements.items(), key=lambda item: -item[1][1])[:3]
    best += [(0, [0, 0])] * (3 - len(best))
    return [n for key, (calls, _) in best for n in (key, calls)] + [ns for _, (_, ns) in best]
