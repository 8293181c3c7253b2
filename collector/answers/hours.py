"""Times are compared with the same hours of other days: traffic and data have their day."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from collector.answers.sides import Side

__all__ = ["Tables", "same_hours"]

HOUR_S = 3_600
DAY_HOURS = 24

#: requests, load, samples, latency of one side
Tables = tuple[pa.Table, pa.Table, pa.Table, pa.Table]


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
    kept = [
        (
            _within(requests, common, width_s),
            _within(load, common, width_s),
            _within(samples, common, width_s),
            latency,
        )
        for requests, load, samples, latency in tables
    ]
    return kept, (f"only the hours of the day that both windows cover: {_text(common)} UTC",)


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
