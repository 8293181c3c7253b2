"""Is the platform itself well: what is stored, how fresh it is, which limits were hit?"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from collector.answers.limits import limits_hit
from collector.answers.records import Answer, Window
from collector.store import answer_reads
from collector.store.alert_reads import evaluator_texts
from collector.store.retention import KEEP_DAYS, days_held
from collector.store.store import Store
from profiler.vocabulary import DAY_MS

__all__ = ["EvaluatorHealth", "Health", "TableSize", "evaluators", "health"]

#: An evaluator tells how it fares every minute.
TOLD_WITHIN_MS = 180_000


@dataclass(frozen=True, slots=True)
class TableSize:
    """One table of the store; bytes on disk."""

    table: str
    rows: int
    bytes: int
    #: its oldest day, such as 2026-01-31; empty: it has no days
    oldest_day: str
    #: how many days it is kept beside today; 0: for good
    keep_days: int


@dataclass(frozen=True, slots=True)
class EvaluatorHealth:
    """How one evaluator of rules fares. `told_ms`: when it said so; it is `is_late` when it should
    have said so again; `problems`: broken rule files, rules that fail, receivers that are away."""

    evaluator: str
    told_ms: int
    is_late: bool
    rules: int
    undelivered: int
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Health:
    """`lag_s`: age of the newest request at the end of the window; nan without any. `alerting`:
    the evaluators that spoke in the last day of it."""

    tables: tuple[TableSize, ...]
    bytes: int
    lag_s: float
    alerting: tuple[EvaluatorHealth, ...]


def health(store: Store, window: Window, keep: Mapping[str, int] = KEEP_DAYS) -> Answer[Health]:
    """Sizes and ages of the store, freshness of its data, limits hit in the window."""
    oldest = {table: str(days[0]) for table, days in days_held(store).items()}
    sizes = tuple(
        TableSize(name, row["rows"], row["bytes"], oldest.get(name, ""), keep.get(name, 0))
        for row in answer_reads.table_sizes(store).to_pylist()
        for name in [row["name"]]
    )
    newest_ms = max(answer_reads.services(store)["last_seen_ms"].to_pylist(), default=0)
    lag_s = (window.to_ms - newest_ms) / 1000 if newest_ms else float("nan")
    return Answer(
        data=Health(sizes, sum(size.bytes for size in sizes), lag_s, evaluators(store, window)),
        as_of_ms=newest_ms,
        limits=limits_hit(store, window),
    )


def evaluators(store: Store, window: Window) -> tuple[EvaluatorHealth, ...]:
    """Every evaluator of rules that spoke in the day before the end of the window."""
    texts = evaluator_texts(store, from_ms=max(0, window.to_ms - DAY_MS), to_ms=window.to_ms)
    return tuple(_evaluator(name, ms, text, window.to_ms) for name, ms, text in texts)


def _evaluator(name: str, told_ms: int, text: str, now_ms: int) -> EvaluatorHealth:
    try:
        data: dict[str, Any] = dict(json.loads(text))
        rules, undelivered = int(data["rules"]), int(data["undelivered"])
        failures = [f"rule {rule}: {why}" for rule, why in data["failures"]]
        problems = [str(problem) for problem in data["problems"]]
        error = str(data["error"])
    except (ValueError, TypeError, KeyError):
        rules, undelivered, failures, problems, error = 0, 0, [], [], "its words cannot be read"
    return EvaluatorHealth(
        evaluator=name,
        told_ms=told_ms,
        is_late=now_ms - told_ms > TOLD_WITHIN_MS,
        rules=rules,
        undelivered=undelivered,
        problems=(*([error] if error else []), *failures, *problems),
    )
