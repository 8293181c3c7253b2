"""W3C trace context: the id that ties one request's records together across services."""

from __future__ import annotations

import re
from struct import Struct
from typing import Any, Callable, Optional

__all__ = ["Trace", "threshold_of", "trace_context", "traceparent_of", "tracestate_of"]

#: High and low half of the trace id, 1 if its spans are kept, the span that called (0: none), the
#: request's own span.
Trace = tuple[int, int, int, int, int]
_SAMPLED = 1
_STATE_CHARACTERS_MAX = 512
_TRACEPARENT = re.compile(r"(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_IDS = Struct(">QQQB")
#: The part of a trace id that is random by its standard: services that keep the same share of
#: traces keep the same traces, without asking each other.
_RANDOM = (1 << 56) - 1


def trace_context(
    traceparent: Optional[str], random_bits: Callable[[int], int], threshold: int
) -> Trace:
    """The caller's trace, or a new one; `threshold` (of `threshold_of`) says which are kept."""
    if traceparent:
        found = _TRACEPARENT.fullmatch(traceparent)
        if found:
            version, trace_id, span_id, flag_bits, rest = found.groups()
            high, low, parent, flags = _IDS.unpack(bytes.fromhex(trace_id + span_id + flag_bits))
            if (high or low) and parent and not (rest and version == "00"):
                kept = flags & _SAMPLED or int(low & _RANDOM < threshold)
                return high, low, kept, parent, random_bits(64) or 1
    low = random_bits(64) or 1
    return random_bits(64) or 1, low, int(low & _RANDOM < threshold), 0, random_bits(64) or 1


def traceparent_of(trace: Trace, span_id: int) -> str:
    """The header that hands the trace on to what `span_id` calls."""
    return "00-%016x%016x-%016x-%02x" % (trace[0], trace[1], span_id, trace[2])


def tracestate_of(trace: Trace, environ: dict[str, Any]) -> str:
    """The caller's tracestate, which goes with its traceparent or not at all."""
    state: str = environ.get("HTTP_TRACESTATE", "")
    return state if trace[3] and len(state) <= _STATE_CHARACTERS_MAX else ""


def threshold_of(rate: float) -> int:
    """A share of traces (0..1) as `trace_context` takes it."""
    return int(rate * (_RANDOM + 1))
