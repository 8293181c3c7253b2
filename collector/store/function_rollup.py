"""Computes functions by steps of 10 minutes, and by hours, from samples and stacks.

A computation stores rows of a version of its own, and then marks it: until then they are not read,
so it may end at any point, and is done again from the start.
"""

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256

import pyarrow as pa

from collector.store.engine import Engine, Parameter
from collector.store.function_marks import CLOSED_AFTER_MS
from collector.store.function_plan import (
    DAY_MS,
    HOUR_MS,
    STEP_MS,
    Marks,
    hour_counts,
    step_counts,
)
from collector.store.retention import EPOCH, days_held
from collector.store.store import Store
from collector.store.texts import query_text
from profiler.vocabulary import WIRE
from profiler.wire import SCHEMAS

__all__ = ["FUNCTIONS_MAX", "finish_day", "roll_up_functions"]

#: Functions of an endpoint in a step; the cost of others is kept as that of one, (other).
FUNCTIONS_MAX = 1_000
READ = ("stack_samples", "stacks")


def roll_up_functions(
    store: Store,
    now_ms: int,
    *,
    functions_max: int = FUNCTIONS_MAX,
    ends: Callable[[], bool] = lambda: False,
) -> int:
    """Compute all closed steps and hours that are missing or stale, oldest first; returns how many.

    `ends`: asked before each one, whether to leave the rest for later. Raises StoreError.
    """
    with store.functions.computing:
        days = _days(store)
        marks = store.functions.read(days[0] * DAY_MS, (days[-1] + 1) * DAY_MS) if days else {}
        return sum(_roll_up(store, day, now_ms, marks, functions_max, ends) for day in days)


def finish_day(store: Store, day: int) -> None:
    """Compute what a day since 1970 lacks, before its samples or steps are forgotten."""
    first_ms, end_ms = day * DAY_MS, (day + 1) * DAY_MS
    with store.functions.computing:
        if day in _days(store):
            marks = store.functions.read(first_ms, end_ms)
            now_ms = end_ms + CLOSED_AFTER_MS
            _roll_up(store, day, now_ms, marks, FUNCTIONS_MAX, lambda: False)


def _days(store: Store) -> list[int]:
    return [(day - EPOCH).days for day in days_held(store).get("stack_samples", [])]


def _roll_up(
    store: Store,
    day: int,
    now_ms: int,
    marks: Marks,
    functions_max: int,
    ends: Callable[[], bool],
) -> int:
    first_ms, end_ms = day * DAY_MS, min(now_ms - CLOSED_AFTER_MS, (day + 1) * DAY_MS)
    steps = [
        start_ms
        for start_ms in range(first_ms, end_ms - STEP_MS + 1, STEP_MS)
        if not step_counts(marks, start_ms)
    ]
    done = _steps(store, steps, functions_max, ends) if steps else 0
    if done:
        marks = store.functions.read(first_ms, first_ms + DAY_MS)
    hours = [
        start_ms
        for start_ms in range(first_ms, end_ms - HOUR_MS + 1, HOUR_MS)
        if _has_steps(marks, start_ms) and not hour_counts(marks, start_ms)
    ]
    if hours and not ends():
        _hours(store, hours, marks)
        done += len(hours)
    return done


def _steps(
    store: Store, starts: Sequence[int], functions_max: int, ends: Callable[[], bool]
) -> int:
    """Compute steps of one day. What is late from now on, for whichever of them, makes it stale."""
    versions = store.functions.begin(STEP_MS, starts)
    store._engine.settle(READ)
    sent = _sent(store, starts[0], starts[-1] + STEP_MS)
    empty = {start_ms: versions[start_ms] for start_ms in starts if start_ms not in sent}
    if empty:
        store.functions.done(STEP_MS, empty)
    done = len(empty)
    for start_ms in starts:
        if start_ms in sent:
            if ends():
                break
            version = _step(store, start_ms, versions[start_ms], sent[start_ms], functions_max)
            store.functions.done(STEP_MS, {start_ms: version})
            done += 1
    return done


def _sent(store: Store, from_ms: int, to_ms: int) -> dict[int, dict[str, list[str]]]:
    """Who sent samples: hosts by step and service."""
    sent: dict[int, dict[str, list[str]]] = {}
    rows = store.query("step_hosts", from_ms=from_ms, to_ms=to_ms, step_ms=STEP_MS)
    for row in rows.to_pylist():
        sent.setdefault(row["start"], {}).setdefault(row["service"], []).append(row["host"])
    return sent


def _step(
    store: Store,
    start_ms: int,
    version: int,
    sent: Mapping[str, list[str]],
    functions_max: int,
) -> int:
    """Store the rows of a step; returns the version that has them."""
    engine = store._engine.holder(f"functions-{start_ms}")
    statement = engine.dialect.filled(query_text("roll_up_functions"))
    for service, hosts in sent.items():
        values: dict[str, Parameter] = {
            "service": service,
            "from_ms": start_ms,
            "to_ms": start_ms + STEP_MS,
            "version": version,
            "hosts": hosts,
            "cells": store.cells(hosts),
        }
        engine.execute(statement, values)
    return _bounded(store, engine, start_ms, version, functions_max)


def _bounded(store: Store, engine: Engine, start_ms: int, version: int, functions_max: int) -> int:
    """A version with no more functions than are kept; what was cut off is in `limits`."""
    asked = {"from_ms": start_ms, "version": version, "functions_max": functions_max}
    over = engine.select(query_text("functions_over"), asked).to_pylist()
    if not over:
        return version
    folded = version + 1
    engine.execute(query_text("fold_functions"), {**asked, "folded": folded})
    for service in sorted({row["service"] for row in over}):
        cut = sum(row["functions"] - functions_max for row in over if row["service"] == service)
        # Of one step once, however often it is computed.
        batch_id = f"functions-{start_ms}-{sha256(service.encode()).hexdigest()[:16]}"
        store.insert("limits", _limit_row(service, start_ms, cut), batch_id)
    return folded


def _limit_row(service: str, start_ms: int, count: int) -> pa.Table:
    said = {"ts_ms": start_ms, "service": service, "where": "store", "what": "functions_over_limit"}
    values = {one.name: [said.get(one.name, "")] for one in WIRE["limits"]} | {"count": [count]}
    return pa.table(values, SCHEMAS["limits"])


def _has_steps(marks: Marks, hour_ms: int) -> bool:
    return all(step_counts(marks, step) for step in range(hour_ms, hour_ms + HOUR_MS, STEP_MS))


def _hours(store: Store, starts: Sequence[int], marks: Marks) -> None:
    """Sum hours of one day, of the versions of their steps that count."""
    versions = store.functions.begin(HOUR_MS, starts)
    store._engine.settle(("function_steps",))
    for start_ms in starts:
        engine = store._engine.holder(f"functions-{start_ms}")
        steps = range(start_ms, start_ms + HOUR_MS, STEP_MS)
        values: dict[str, Parameter] = {
            "from_ms": start_ms,
            "to_ms": start_ms + HOUR_MS,
            "version": versions[start_ms],
            "versions": [marks[STEP_MS, step].version for step in steps],
        }
        engine.execute(engine.dialect.filled(query_text("roll_up_function_hour")), values)
    store.functions.done(HOUR_MS, versions)
