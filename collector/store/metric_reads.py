"""Reads of metrics: what agents measured, StatsD senders told, and was scraped. Times: UTC ms."""

import pyarrow as pa

from collector.answers.records import Window
from collector.store.store import Store

__all__ = ["metric_names", "metric_steps"]


def metric_names(store: Store, window: Window, service: str) -> pa.Table:
    """metric, source_of, kind_of, units, hosts, sets (of labels and hosts), lowest and
    highest (of the newest values), last_seen_ms.

    An empty service means all; what hosts measure of themselves belongs to each.
    """
    bounds = {"from_ms": window.from_ms, "to_ms": window.to_ms}
    return store.query("metric_names", service=service, **bounds)


def metric_steps(
    store: Store, window: Window, service: str, metric: str, *, step_ms: int
) -> pa.Table:
    """step_start_ms, service, host, labelled (`k=v` by lines), kind_of, points, summed, unit_of.

    By time first; of hosts' own metrics as `metric_names`.
    """
    asked: dict[str, str | int] = {"metric": metric, "service": service, "hosts": 1}
    asked |= {"step_ms": step_ms, "from_ms": window.from_ms, "to_ms": window.to_ms}
    return store.query("metric_steps", **asked)
