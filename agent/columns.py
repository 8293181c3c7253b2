"""Codes of a ring -> columns: string ids, words, trace ids, times."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from agent.rings import Ring
from agent.slots import Rows

__all__ = ["alone", "by_id", "hex_ids", "timely", "trace_ids", "words"]

#: A row further from now than this has no right time, whatever its checksum says.
PAST_NS_MAX = 8 * 86_400 * 10**9
FUTURE_NS_MAX = 3_600 * 10**9


def by_id(
    rings: Sequence[Ring],
    which: Any,
    ids: Any,
    of_text: Callable[[str], Any] = str,
    arrow_type: Any = None,
) -> pa.Array:
    """`of_text` of each string id's text, made once for each distinct id; strings by default.

    `which`: the place in `rings` of the ring that each id is from, uint64.
    """
    distinct, places = np.unique(which << np.uint64(32) | ids, return_inverse=True)
    values = [of_text(rings[key >> 32].string(key & 0xFFFFFFFF)) for key in distinct.tolist()]
    return pa.array(values, arrow_type or pa.string()).take(pa.array(places))


def alone(ids: Any) -> Any:
    """`which` of `by_id` where all ids are from one ring."""
    return np.zeros(len(ids), np.uint64)


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
