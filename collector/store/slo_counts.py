"""Good of total by slice of age: what SLOs are judged from, read once for all of them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from collector.store.store import Store

__all__ = [
    "MetricSlice",
    "RequestSlices",
    "SliceCount",
    "labels_match",
    "metric_slices",
    "request_slices",
    "slice_edges",
]

#: Kind of good -> (column of the good ones, column of those that count).
COLUMNS = {
    "available": ("available", "available_of"),
    "success": ("success", "success_of"),
    "no crash": ("no_crash", "everything"),
}


@dataclass(frozen=True, slots=True)
class SliceCount:
    """Requests of one service in one slice of age; `good` of `total`."""

    service: str
    slice: int
    good: float
    total: float


@dataclass(frozen=True, slots=True)
class MetricSlice:
    """Points of one metric and set of labels in one slice of age."""

    service: str
    labels: tuple[str, ...]
    slice: int
    points: float
    summed: float
    below: float
    above: float


@dataclass(frozen=True, slots=True)
class RequestSlices:
    """Requests by service, endpoint and slice of age, with the counts of every kind of SLO."""

    rows: Mapping[tuple[str, str], Sequence[Mapping[str, Any]]]

    def of(self, service: str, endpoint: str, good: str, threshold_ms: int) -> list[SliceCount]:
        """One row a service and slice; `service`, `endpoint`: empty means any."""
        column, of = COLUMNS.get(good, (f"within_{threshold_ms}", "everything"))
        sums: dict[tuple[str, int], tuple[float, float]] = {}
        for row in self._chosen(service, endpoint):
            key = (row["service"], row["slice"])
            before = sums.get(key, (0.0, 0.0))
            sums[key] = (before[0] + row[column], before[1] + row[of])
        return [SliceCount(*key, *counts) for key, counts in sorted(sums.items())]

    def _chosen(self, service: str, endpoint: str) -> Sequence[Mapping[str, Any]]:
        if service and endpoint:
            return self.rows.get((service, endpoint), [])
        return [
            row
            for (one, named), rows in self.rows.items()
            if (not service or one == service) and (not endpoint or named == endpoint)
            for row in rows
        ]


def request_slices(
    store: Store,
    *,
    from_ms: int,
    raw_from_ms: int,
    to_ms: int,
    windows_ms: Sequence[int],
    parts: int,
    endpoints: Sequence[str],
    all_endpoints: bool,
) -> RequestSlices:
    """Counts by slice of age before `to_ms`: see `slice_edges`.

    From `raw_from_ms` (a whole minute) on from raw requests; before it from the roll-up, of which
    only minutes that begin at or after `from_ms` count. `endpoints` are told apart; the others are
    one, '', if `all_endpoints`, else left out.
    """
    chosen: dict[str, Any] = {
        **_rings(windows_ms, parts, to_ms),
        "endpoints": list(dict.fromkeys(endpoints)) or [""],
        "all_endpoints": int(all_endpoints),
    }
    tables = [store.query("slo_counts", from_ms=max(from_ms, raw_from_ms), **chosen)]
    if from_ms < raw_from_ms:
        tables.append(
            store.query("slo_counts_minutes", from_ms=from_ms, until_ms=raw_from_ms, **chosen)
        )
    rows: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in (row for table in tables for row in table.to_pylist()):
        rows.setdefault((row["service"], row["named"]), []).append(row)
    return RequestSlices(rows)


def metric_slices(
    store: Store,
    *,
    from_ms: int,
    to_ms: int,
    windows_ms: Sequence[int],
    parts: int,
    name: str,
    labels: Mapping[str, str],
    service: str,
    limit: float,
) -> list[MetricSlice]:
    """Points of a metric whose labels match, by service, labels and slice of age."""
    rows = store.query(
        "slo_metric_counts",
        from_ms=from_ms,
        metric=name,
        service=service,
        limit=limit,
        **_rings(windows_ms, parts, to_ms),
    ).to_pylist()
    found = [
        MetricSlice(
            r["service"],
            tuple(r["labelled"].split("\n")) if r["labelled"] else (),
            r["slice"],
            r["points"],
            r["summed"],
            r["below"],
            r["above"],
        )
        for r in rows
    ]
    return [one for one in found if labels_match(one.labels, labels)]


def labels_match(given: Sequence[str], wanted: Mapping[str, str]) -> bool:
    """Whether `k=v` labels match these whole regular expressions; a missing label is empty."""
    known = {name: value for name, _, value in (label.partition("=") for label in given)}
    return all(re.fullmatch(pattern, known.get(name, "")) for name, pattern in wanted.items())


def slice_edges(windows_ms: Sequence[int], parts: int) -> list[int]:
    """The older end of each slice, as an age in ms: slice i holds ages in (edges[i - 1], edges[i]].

    The time between one window length and the next is cut into `parts`. `windows_ms` ascend.
    """
    return [
        start - (start - end) * part // parts  # rounded up
        for start, end in zip([0, *windows_ms], windows_ms, strict=False)
        for part in range(1, parts + 1)
    ]


def _rings(windows_ms: Sequence[int], parts: int, to_ms: int) -> dict[str, Any]:
    starts = [0, *windows_ms[:-1]]
    return {
        "to_ms": to_ms,
        "windows_ms": list(windows_ms),
        "rings": list(range(len(windows_ms))),
        "starts_ms": starts,
        "lengths_ms": np.subtract(windows_ms, starts).tolist(),
        "parts": parts,
    }
