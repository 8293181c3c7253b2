"""GET /metrics/federate: requests, errors, cost and wall time of endpoints, for Prometheus.

Counters begin anew at midnight UTC, as those of a restarted process do: so a scrape reads one day
of roll-ups, and releases that serve no more vanish. At most ROWS_MAX rows are given, those with
most requests; how many are left out is a metric of its own.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from flask import Blueprint, Response, jsonify
from flask.typing import ResponseReturnValue
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from collector.meters import Meters
from collector.store.errors import StoreError
from collector.store.federation_reads import day_size, day_sums
from collector.store.store import Store
from profiler.histogram import wall_bucket

__all__ = ["EDGES_S", "ROWS_MAX", "federation_routes"]

#: Of service, endpoint, release and unit; each is 17 series.
ROWS_MAX = 2_000
#: Edges that the stored histograms have, too: SLO limits and powers of two of a second.
EDGES_S = (0.0078125, 0.015625, 0.03125, 0.0625, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 16.0)
LABELS = ("service", "endpoint", "release", "cost_unit")
NS_PER_S = 1_000_000_000

Row = Mapping[str, Any]


def federation_routes(
    store: Store, meters: Meters, clock: Callable[[], float], rows_max: int = ROWS_MAX
) -> Blueprint:
    """The route; the app asks for the read token."""
    routes = Blueprint("federation", __name__)

    @routes.get("/metrics/federate")
    def federate() -> ResponseReturnValue:
        now_ms = int(clock() * 1000)
        try:
            rows = day_sums(store, now_ms, rows_max).to_pylist()
            left_out = day_size(store, now_ms) - len(rows) if len(rows) == rows_max else 0
        except StoreError as error:
            return jsonify(error=str(error)), 503, {"Retry-After": "2"}
        if left_out > 0:
            meters.limit_hit("federated_rows")
        return Response(_text(rows, max(left_out, 0)), mimetype="text/plain; version=0.0.4")

    return routes


class _Day(Collector):
    def __init__(self, rows: Iterable[Row], left_out: int) -> None:
        self._rows, self._left_out = rows, left_out

    def collect(self) -> Iterator[Metric]:
        """The metrics of one scrape."""
        name = "dynoscope_endpoint"
        requests = CounterMetricFamily(f"{name}_requests", "requests and tasks", labels=LABELS)
        errors = CounterMetricFamily(f"{name}_errors", "5xx, exceptions, killed", labels=LABELS)
        cost = CounterMetricFamily(f"{name}_cost", "CPU cost, in cost_unit", labels=LABELS)
        wall = HistogramMetricFamily(
            f"{name}_wall_seconds", "wall time of requests that were not killed", labels=LABELS
        )
        for row in self._rows:
            labels = [row[label] for label in LABELS]
            requests.add_metric(labels, row["requests"])
            errors.add_metric(labels, row["error_count"])
            cost.add_metric(labels, row["cost_total"])
            wall.add_metric(labels, _cumulative(row), row["wall_total"] / NS_PER_S)
        yield from (requests, errors, cost, wall)
        yield GaugeMetricFamily(
            "dynoscope_federate_left_out", "rows past the limit of a scrape", self._left_out
        )


def _text(rows: Iterable[Row], left_out: int) -> bytes:
    registry = CollectorRegistry()
    registry.register(_Day(rows, left_out))
    return bytes(generate_latest(registry))


def _cumulative(row: Row) -> list[tuple[str, float]]:
    """(edge, requests below it), as Prometheus counts; exact, since the edges are stored ones."""
    buckets = np.array(row["wall_buckets"], np.int32)
    counts = np.array(row["wall_counts"], np.float64)
    firsts = wall_bucket(np.array([round(edge * NS_PER_S) for edge in EDGES_S], np.uint64))
    below = [float(counts[buckets < first].sum()) for first in firsts]
    edges = [(str(edge), count) for edge, count in zip(EDGES_S, below, strict=True)]
    return [*edges, ("+Inf", float(counts.sum()))]
