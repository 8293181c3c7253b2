"""Times are compared with the same hours of other days: traffic and data have their day."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from collector.answers.sides import Side

__all__ = ["HOUR_S", "Tables", "hours_between", "same_hours"]

HOUR_S = 3_600
DAY_HOURS = 24

#: of one side: requests, load, samples, where hosts are in groups requests and load over time, and
#: latency last
Tables = tuple[pa.Table, ...]


def same_hours(
    sides: Sequence[Side], tables: list[Tables], width_s: int
) -> tuple[list[Tables], tuple[str, ...]]:
    """Rows of the hours of the day (UTC) that both windows cover, and what is to be said of it.

    Only where both sides name windows: releases follow one another, and share no hour. Latency has
    no windows and stays as it is.
    """
    if not all(side.is_window for side in sides):
        return tables, ()
    covered = [_hours(one[0]["win"], width_s) for one in tables]
    seen = [set(np.unique(hours).tolist()) for hours in covered]
    common = seen[0] & seen[1]
    if seen[0] == seen[1] or not all(seen):
        return tables, ()
    if not common:
        a, b = (_text(hours) for hours in seen)
        return tables, (
            f"the windows cover other hours of the day (UTC {a} and {b}): "
            "what follows the time of day shows as a change; compare the same hours",
        )
    kept: list[Tables] = [
        (*(_within(table, common, width_s) for table in one[:-1]), one[-1]) for one in tables
    ]
    return kept, (f"only the hours of the day that both windows cover: {_text(common)} UTC",)


def hours_between(first_ms: int, last_ms: int) -> set[int]:
    """The hours of the day (UTC) of a time."""
    first, last = (ms // 1000 // HOUR_S for ms in (first_ms, last_ms))
    return {hour % DAY_HOURS for hour in range(first, min(last, first + DAY_HOURS) + 1)}


def _within(table: pa.Table, hours: set[int], width_s: int) -> pa.Table:
    return table.filter(pa.array(np.isin(_hours(table["win"], width_s), sorted(hours))))


def _hours(windows: pa.ChunkedArray, width_s: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    hours: np.ndarray[tuple[int], np.dtype[np.int64]] = windows.to_numpy().astype(np.int64)
    return hours * width_s // HOUR_S % DAY_HOURS


def _text(hours: set[int]) -> str:
    """22-23, 0-1 for {0, 1, 22, 23}."""
    spans: list[list[int]] = []
    for hour in sorted(hours):
        if spans and spans[-1][1] == hour - 1:
            spans[-1][1] = hour
        else:
            spans.append([hour, hour])
    return ", ".join(f"{a}" if a == b else f"{a}-{b}" for a, b in spans)
