"""Codes of a ring -> columns: string ids, words, trace ids, times."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa

from agent.rings import Ring
from agent.slots import Rows

__all__ = ["by_id", "hex_ids", "timely", "trace_ids", "words"]

#: A row further from now than this has no right time, whatever its checksum says.
PAST_NS_MAX = 8 * 86_400 * 10**9
FUTURE_NS_MAX = 3_600 * 10**9


def by_id(
    ring: Ring, ids: Any, of_text: Callable[[str], Any] = str, arrow_type: Any = None
) -> pa.Array:
    """`of_text` of each string id's text, made once for each distinct id; strings by default."""
    distinct, places = np.unique(ids, return_inverse=True)
    values = [of_text(ring.string(int(string_id))) for string_id in distinct]
    return pa.array(values, arrow_type or pa.string()).take(pa.array(places))


def words(known: tuple[str, ...], codes: Any) -> pa.Array:
    """The word of each code; a code that is no known word becomes the first."""
    right = np.where(codes < len(known), codes, 0)
    return pa.array(known, pa.string()).take(pa.array(right))


def trace_ids(rows: Rows) -> list[str]:
    """32 hex digits a row, "" where there is none."""
    high, low = rows["trace_id_high"].tolist(), rows["trace_id_low"].tolist()
    return [f"{a:016x}{b:016x}" if a or b else "" for a, b in zip(high, low, strict=True)]


def hex_ids(ids: Any) -> list[str]:
    """16 hex digits each, "" for 0."""
    return [f"{one:016x}" if one else "" for one in ids.tolist()]


def timely(rows: Rows, now_ns: int) -> Any:
    """Which rows started at a time that can be."""
    started_ns = rows["started_ns"]
    return (started_ns + PAST_NS_MAX >= now_ns) & (started_ns <= now_ns + FUTURE_NS_MAX)
