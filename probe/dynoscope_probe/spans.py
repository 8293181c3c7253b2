"""The spans of one request, written when it has ended and only if its trace is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Union

from dynoscope_probe import layout

if TYPE_CHECKING:
    from dynoscope_probe.request import Request

__all__ = ["CACHE", "CALLS_MAX", "DB", "RPC", "Call", "write_spans"]

#: With the request itself 64 spans.
CALLS_MAX = 63
DB, CACHE, RPC = (layout.SPAN_KINDS.index(word) for word in ("db", "cache", "rpc"))
#: kind, name (a text, or its string id), start and end (perf_counter_ns), outcome, HTTP status,
#: span id (0: it has none yet)
Call = tuple[int, Union[int, str], int, int, int, int, int]

_pack = layout.SPAN.pack


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
    for kind, name, started_ns, ended_ns, failed, status, call_id in calls:
        name_id = name if isinstance(name, int) else ring.string_id(name, bulky=True)
        ring.write_detail(
            _pack(
                layout.DETAIL_SPAN, kind, failed, status, name_id, endpoint_id,
                since_epoch_ns + started_ns, ended_ns - started_ns, high, low,
                call_id or random_bits(64), span_id,
            )
        )  # fmt: skip
    over = request.db_calls + request.cache_calls + request.rpc_calls - len(calls)
    if over > 0:
        ring.count("spans_over", over)
