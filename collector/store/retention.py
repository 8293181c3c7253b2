"""Days of tables: which are held, moved from minutes to hours, forgotten. A day is a partition."""

from collections.abc import Mapping
from datetime import date, timedelta

import numpy as np
import pyarrow as pa

from collector.store.store import DAY_MS, Store
from collector.store.texts import query_text
from profiler.vocabulary import HOUR_MS

__all__ = [
    "KEEP_DAYS",
    "MOVED_ON",
    "days_held",
    "drop_day",
    "first_minutes",
    "last_day",
    "roll_up_day",
    "tell_engine",
]

EPOCH = date(1970, 1, 1)
#: How many days each table is kept, beside today. Stacks and statements are sent anew every hour,
#: so those that samples and requests speak of are there a day longer.
KEEP_DAYS = {
    "requests": 7,
    "statements": 8,
    "stack_samples": 14,
    "line_samples": 14,
    "stacks": 15,
    "function_costs": 14,
    "spans": 14,
    "errors": 14,
    "metrics": 30,
    "limits": 30,
    "endpoint_minutes": 14,
    "host_minutes": 30,
    "endpoint_hours": 400,
    "endpoint_steps": 400,
    "service_days": 400,
    "function_steps": 14,
    "function_hours": 400,
    "changes": 400,
    "alert_events": 400,
    "silence_events": 400,
    "evaluator_events": 14,
}
#: Tables of which others are made when a day is over: that day must still be there, however late.
MOVED_ON = ("endpoint_minutes", "stack_samples", "stacks", "function_steps")
#: Tables whose partition is a week, named after its Monday.
WEEKLY = ("endpoint_steps", "function_hours")


def days_held(store: Store) -> dict[str, list[date]]:
    """Days that have rows, oldest first, by table."""
    held: dict[str, list[date]] = {}
    for row in store.query("days").to_pylist():
        held.setdefault(row["name"], []).append(date.fromisoformat(row["day"]))
    return held


def last_day(table: str, day: date) -> date:
    """The last day that goes with this one when it is dropped."""
    return day + timedelta(days=6) if table in WEEKLY else day


def tell_engine(store: Store, keep: Mapping[str, int]) -> None:
    """Have the engine forget by itself, where it can, what `drop_day` would at the same time.

    So a store stays small while nobody looks after it. `keep`: days by table, beside today.
    """
    if not store._engine.dialect.has_ttl:
        return
    for table, days in keep.items():
        if table not in MOVED_ON:
            is_weekly = table in WEEKLY
            text = query_text("keep_weeks" if is_weekly else "keep_days").replace("{table}", table)
            store._engine.execute(text.replace("{days}", str(int(days) + (7 if is_weekly else 1))))


def roll_up_day(store: Store, day: date) -> None:
    """Move a day of endpoint_minutes to endpoint_hours. No row of that day may come any more, and
    the days before it have moved.

    Until all hours are there the minutes are read, from then on the hours: a read has the day once
    at every moment. The minutes are left where they are, since a read may just have begun; drop
    them later. What an interrupted move has left in the hours is made anew.
    """
    drop_day(store, "endpoint_hours", day)
    first_ms = (day - EPOCH).days * DAY_MS
    for hour_ms in range(first_ms, first_ms + DAY_MS, HOUR_MS):
        store._engine.execute(query_text("roll_up_hour"), {"hour_ms": hour_ms})
    moved = pa.table({"until_ms": np.array([first_ms + DAY_MS], np.uint64)})
    store._engine.anywhere().insert("moved_days", moved, f"moved-{first_ms}")


def first_minutes(store: Store) -> date:
    """The first day that is read by minutes: those before it have moved to hours."""
    return EPOCH + timedelta(days=store.hours_until_ms() // DAY_MS)


def drop_day(store: Store, table: str, day: date) -> None:
    """Forget a day of a table of KEEP_DAYS; of one that is kept by weeks the week of a Monday."""
    if table not in KEEP_DAYS:
        raise ValueError(f"{table!r} is not kept by days")
    statement = query_text("drop_day").replace("{table}", table).replace("{day}", day.isoformat())
    store._engine.execute(statement)
