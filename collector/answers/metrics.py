"""Which metrics are there, and how did one of them move?"""

from dataclasses import dataclass
from typing import Any

from collector.answers.records import Answer, Window
from collector.answers.series import step_of
from collector.errors import BadQuestion
from collector.store import metric_reads
from collector.store.store import Store, truncated

__all__ = ["LINES_MAX", "MetricLine", "MetricPoint", "MetricRow", "metric", "metrics"]

#: Lines of one metric in an answer; `truncated` says that there are more.
LINES_MAX = 200


@dataclass(frozen=True, slots=True)
class MetricRow:
    """A metric that is stored; `sets`: how many lines it has, one for each host and its labels.

    `lowest` and `highest` of the newest value of each.
    """

    metric: str
    source: str
    kind: str
    unit: str
    hosts: int
    sets: int
    lowest: float
    highest: float
    last_ms: int


@dataclass(frozen=True, slots=True)
class MetricPoint:
    """`value`: a counter's increase per second, the mean of anything else, from `ts_ms` on."""

    ts_ms: int
    value: float


@dataclass(frozen=True, slots=True)
class MetricLine:
    """One metric of one host and one set of labels (`k=v`)."""

    service: str
    host: str
    labels: tuple[str, ...]
    kind: str
    unit: str
    points: tuple[MetricPoint, ...]


def metrics(store: Store, window: Window, service: str = "") -> Answer[tuple[MetricRow, ...]]:
    """Names of metrics with their newest values, by source; an empty service means all."""
    table = metric_reads.metric_names(store, window, service)
    rows = tuple(
        MetricRow(
            metric=row["metric"],
            source=row["source_of"],
            kind=row["kind_of"],
            unit=row["units"],
            hosts=int(row["hosts"]),
            sets=int(row["sets"]),
            lowest=row["lowest"],
            highest=row["highest"],
            last_ms=row["last_seen_ms"],
        )
        for row in table.to_pylist()
    )
    as_of_ms = max((row.last_ms for row in rows), default=0)
    return Answer(rows, truncated=truncated(table), as_of_ms=as_of_ms)


def metric(
    store: Store, window: Window, service: str = "", *, metric: str = ""
) -> Answer[tuple[MetricLine, ...]]:
    """One metric over time: a line for each host and set of labels. Steps as those of `series`."""
    if not metric:
        raise BadQuestion("metric is needed, such as metric=host_cpu_percent.")
    step_ms = step_of(window)
    table = metric_reads.metric_steps(store, window, service, metric, step_ms=step_ms)
    by_line: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in table.to_pylist():
        key = row["service"], row["host"], row["labelled"], row["kind_of"]
        by_line.setdefault(key, []).append(row)
    lines = [_line(key, rows, step_ms) for key, rows in sorted(by_line.items())]
    return Answer(
        data=tuple(lines[:LINES_MAX]),
        unit=lines[0].unit if lines else "",
        truncated=truncated(table) or len(lines) > LINES_MAX,
        as_of_ms=max((line.points[-1].ts_ms for line in lines), default=0),
    )


def _line(key: tuple[str, ...], rows: list[dict[str, Any]], step_ms: int) -> MetricLine:
    service, host, labelled, kind = key
    rises = kind == "counter"
    points = tuple(
        MetricPoint(
            row["step_start_ms"],
            row["summed"] / (step_ms / 1000 if rises else row["points"]),
        )
        for row in rows
    )
    unit = rows[0]["unit_of"]
    labels = tuple(labelled.split("\n")) if labelled else ()
    return MetricLine(service, host, labels, kind, f"{unit}/s" if rises else unit, points)
