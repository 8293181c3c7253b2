"""Reads of functions over long times: rolled up, and what of a window is to be read raw."""

import pyarrow as pa

from collector.answers.records import Window
from collector.store.function_plan import DAY_MS, HOUR_MS, Plan, planned
from collector.store.retention import EPOCH, days_held
from collector.store.store import Store

__all__ = ["clock_steps", "function_sums", "is_kept_raw", "plan_of"]


def plan_of(store: Store, window: Window) -> Plan:
    """How the functions of a window are to be read."""
    days = days_held(store)
    held = {
        table: {(day - EPOCH).days + more for day in days.get(table, []) for more in range(length)}
        for table, length in (("function_steps", 1), ("function_hours", 7))
    }
    marks = store.functions.read(window.from_ms // HOUR_MS * HOUR_MS, window.to_ms)
    return planned(
        window.from_ms,
        window.to_ms,
        marks,
        step_days=held["function_steps"],
        hour_days=held["function_hours"],
    )


def is_kept_raw(store: Store, window: Window) -> bool:
    """Whether the samples of a window were not forgotten, as far as the store knows."""
    days = days_held(store).get("stack_samples", [])
    return bool(days) and window.from_ms >= (days[0] - EPOCH).days * DAY_MS


def function_sums(
    store: Store, window: Window, plan: Plan, service: str, endpoint: str, release: str
) -> pa.Table:
    """function, origin, self_weight_s, weight_s, samples: of the rolled up parts of a plan."""
    table = store.query(
        "function_sums",
        service=service,
        endpoint=endpoint,
        release=release,
        from_ms=window.from_ms,
        to_ms=window.to_ms,
        hours=list(plan.hours),
        steps=list(plan.steps),
    )
    return table.rename_columns(["function", "origin", "self_weight_s", "weight_s", "samples"])


def clock_steps(
    store: Store, window: Window, service: str, endpoint: str, release: str
) -> tuple[float, float]:
    """`reads.clock_sums` of a window that starts and ends on 5 minutes."""
    row = store.query(
        "clock_steps",
        service=service,
        endpoint=endpoint,
        release=release,
        from_ms=window.from_ms,
        to_ms=window.to_ms,
    ).to_pylist()[0]
    return row["served"], row["task_clock_total"]
