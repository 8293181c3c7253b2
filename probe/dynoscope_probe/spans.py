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
    "enter_call",
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

    __slots__ = ("kind", "outer", "request", "span_id")

    def __init__(self, request: Request, kind: int, outer: Optional[Nested]) -> None:
        #: None: it was left.
        self.request: Optional[Request] = request
        self.kind = kind
        self.outer = outer
        #: 0: it has none yet.
        self.span_id = 0

    def leave(self) -> None:
        """No call is within it any more. What lasts longer than another call was not within it."""
        self.request = None
        outer = self.outer
        while outer is not None and outer.request is None:
            self.outer = outer = outer.outer
        if _innermost_call() is self:
            _set_innermost(outer)


_innermost: ContextVar[Optional[Nested]] = ContextVar("dynoscope_call", default=None)
_innermost_call, _set_innermost = _innermost.get, _innermost.set

#: None: not known, as good as directly in the request.
Place = Optional[Nested]
#: kind, name (a text, or its string id), start and end (perf_counter_ns), outcome, HTTP status
Call = tuple[int, Union[int, str], int, int, int, int, Place]


def enter_call(request: Request, kind: int) -> Place:
    """A call begins, within the one that this thread or task is in; None: it is part of one of its
    kind, as a driver's call is of a framework's, and does not count by itself."""
    outer = _innermost_call()
    while outer is not None and outer.request is not request:
        outer = outer.outer
    if outer is not None and outer.kind == kind and kind != RPC:
        return None
    nested = Nested(request, kind, outer)
    _set_innermost(nested)
    return nested


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
    written = set()
    for *_, nested in calls:
        if nested is not None:
            nested.span_id = nested.span_id or random_bits(64)
            written.add(nested)
    for kind, name, started_ns, ended_ns, failed, status, nested in calls:
        name_id = name if isinstance(name, int) else ring.string_id(name, bulky=True)
        own_id = random_bits(64) if nested is None else nested.span_id
        ring.write_detail(
            _pack(
                layout.DETAIL_SPAN, kind, failed, status, name_id, endpoint_id,
                since_epoch_ns + started_ns, ended_ns - started_ns, high, low,
                own_id, _parent_id(nested, written) or span_id,
            )
        )  # fmt: skip
    over = request.db_calls + request.cache_calls + request.rpc_calls - len(calls)
    if over > 0:
        ring.count("spans_over", over)


def _parent_id(nested: Place, written: set[Nested]) -> int:
    """Span id of the innermost call that it is in and that is written, too; 0: there is none."""
    outer = None if nested is None else nested.outer
    while outer is not None and outer not in written:
        outer = outer.outer
    return 0 if outer is None else outer.span_id
