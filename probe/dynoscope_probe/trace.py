"""W3C trace context: the id that ties one request's records together across services."""

from __future__ import annotations

import re
from typing import Callable, Optional

__all__ = ["trace_context"]

_TRACEPARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-([0-9a-f]{16})([0-9a-f]{16})-[0-9a-f]{16}-([0-9a-f]{2})"
)
_SAMPLED = 1
_HALF = (1 << 64) - 1


def trace_context(
    traceparent: Optional[str], random_bits: Callable[[int], int]
) -> tuple[int, int, int]:
    """(high half, low half, 1 if sampled) of the trace id: the caller's, or a new one."""
    if traceparent:
        found = _TRACEPARENT.match(traceparent)
        if found:
            high, low, flags = (int(part, 16) for part in found.groups())
            if high or low:
                return high, low, flags & _SAMPLED
    bits = random_bits(128) or 1
    return bits >> 64, bits & _HALF, 0
