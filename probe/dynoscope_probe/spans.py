"""The spans of one request, written when it has ended and only if its trace is kept."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Optional, Union

from dynoscope_probe import layout

if TYPE_CHECKING:
    from dynoscope_probe.request import Request

__all__ = [
    "CACHE",
    "CALLS_MAX",
    "DB",
    "RPC",
    "Call",
    "Nested",
    "Place",
    "innermost_call",
    "nested_call",
    "write_spans",
]

#: With the request itself 64 spans.
CALLS_MAX = 63
DB, CACHE, RPC = (layout.SPAN_KINDS.index(word) for word in ("db", "cache", "rpc"))

_pack = layout.SPAN.pack


class Nested:
    """A call's place among the calls of its request: what begins before `leave` is within it.

    It is known by context, so that calls of tasks that take turns on one thread stay apart.
    """

    __slots__ = ("kind", "left", "outer", "request", "span_id", "written")

    def __init__(self, request: Request, kind: int, outer: Place) -> None:
        self.request = request
        self.kind = kind
        self.outer = outer
        self.left = self.written = False
        #: 0: it has none yet.
        self.span_id = 0

    def enter(self) -> None:
        """From here on calls are within this one."""
        _innermost.set(self)

    def leave(self) -> None:
        """They are not any more. What lasts longer than another call was not within it."""
        self.left = True
        outer = self.outer
        while outer is not None and outer.left:
            outer = outer.outer
        self.outer = outer
        if _innermost.get() is self:
            _innermost.set(outer)


_innermost: ContextVar[Optional[Nested]] = ContextVar("dynoscope_call", default=None)

#: None: not known, as good as directly in the request.
Place = Optional[Nested]
#: kind, name (a text, or its string id), start and end (perf_counter_ns), outcome, HTTP status
Call = tuple[int, Union[int, str], int, int, int, int, Place]


def innermost_call(request: Request) -> Place:
    """The call of this request that this thread or task is in."""
    nested = _innermost.get()
    while nested is not None and (nested.left or nested.request is not request):
        nested = nested.outer
    return nested


def nested_call(request: Request, kind: int) -> Place:
    """The place of a call that begins now; None: it is part of one of its kind, as a driver's call
    is of a framework's, and does not count by itself."""
    outer = innermost_call(request)
    return None if outer is not None and outer.kind == kind else Nested(request, kind, outer)


def write_spans(request: Request, outcome: int, wall_ns: int) -> None:
    """The request's span and those of its calls; calls that were not remembered are counted."""
    ring, random_bits = request.process.ring, request.process.random_bits
    high, low, _, parent_id, span_id = request.trace
    endpoint_id = request.endpoint_id
    ring.write_detail(
        _pack(
            layout.DETAIL_SPAN, request.kind, outcome, request.status, endpoint_id, endpoint_id,
            request.started_ns, wall_ns, high, low, span_id, parent_id,
        )
    )  # fmt: skip
    since_epoch_ns = request.started_ns - request.started_monotonic_ns
    calls = request.calls
    for *_, nested in calls:
        if nested is not None:
            nested.written = True
            nested.span_id = nested.span_id or random_bits(64)
    for kind, name, started_ns, ended_ns, failed, status, nested in calls:
        name_id = name if isinstance(name, int) else ring.string_id(name, bulky=True)
        own_id = random_bits(64) if nested is None else nested.span_id
        ring.write_detail(
            _pack(
                layout.DETAIL_SPAN, kind, failed, status, name_id, endpoint_id,
                since_epoch_ns + started_ns, ended_ns - started_ns, high, low,
                own_id, _parent_id(nested) or span_id,
            )
        )  # fmt: skip
    over = request.db_calls + request.cache_calls + request.rpc_calls - len(calls)
    if over > 0:
        ring.count("spans_over", over)


def _parent_id(nested: Place) -> int:
    """Span id of the innermost call that it is in and that is written, too; 0: there is none."""
    outer = None if nested is None else nested.outer
    while outer is not None and not outer.written:
        outer = outer.outer
    return 0 if outer is None else outer.span_id
