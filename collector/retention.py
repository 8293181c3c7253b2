"""How long each table is kept: older days are forgotten, those of minutes become hours first."""

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from collector.errors import BadQuestion
from collector.store.errors import StoreError
from collector.store.function_rollup import finish_day
from collector.store.retention import (
    EPOCH,
    KEEP_DAYS,
    days_held,
    drop_day,
    first_minutes,
    last_day,
    roll_up_day,
    tell_engine,
)
from collector.store.store import Store

__all__ = ["Step", "Upkeep", "accepted_days", "due", "keep_up", "parse_keep"]

EVERY_S = 3_600.0
ROLLED_UP = "endpoint_minutes"
#: Roll-ups of requests: a day is in its end form before they are moved or forgotten.
ROLL_UPS = ("endpoint_minutes", "endpoint_steps", "host_minutes")
FUNCTION_ROLL_UPS = ("function_steps", "function_hours")
#: What functions are computed from, a day's steps and hours.
OF_FUNCTIONS = ("stack_samples", "function_steps")
KEEP_DAYS_MAX = 4_000
#: Rows that are older are refused, even if they would be kept: a batch that is sent again after so
#: long is not known any more.
ACCEPTED_DAYS = 7

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Step:
    """One day of a table that is due. `rolled_up`: it goes on as hours."""

    table: str
    day: date
    rolled_up: bool


def parse_keep(texts: Iterable[str]) -> dict[str, int]:
    """KEEP_DAYS with changes such as `requests=3`; raises BadQuestion with one sentence."""
    keep = dict(KEEP_DAYS)
    for text in texts:
        table, _, days = text.partition("=")
        if table not in keep:
            raise BadQuestion(f"{text!r} names no table: write one of {', '.join(keep)}, as in "
                              "requests=7.")  # fmt: skip
        if not days.isascii() or not days.isdigit() or not 1 <= int(days[:5]) <= KEEP_DAYS_MAX:
            raise BadQuestion(
                f"{text!r} gives no days: write 1 to {KEEP_DAYS_MAX}, as in {table}=7."
            )
        keep[table] = int(days)
    return keep


def accepted_days(table: str, keep: Mapping[str, int]) -> int:
    """How old a row of a batch may be: nothing comes for days that are forgotten or moved."""
    roll_ups = {"requests": ROLL_UPS, "stack_samples": FUNCTION_ROLL_UPS}
    tables = (table, *roll_ups.get(table, ()))
    return min(ACCEPTED_DAYS, *(keep.get(name, ACCEPTED_DAYS) for name in tables))


def due(
    held: Mapping[str, Iterable[date]], keep: Mapping[str, int], today: date, moved: date = date.min
) -> list[Step]:
    """What is older than it is kept, oldest first. `moved`: minutes of the days before it are
    there as hours already, and are due to be forgotten."""
    steps = [
        Step(table, day, table == ROLLED_UP and day >= moved)
        for table, days in held.items()
        for day in days
        if table in keep and last_day(table, day) < today - timedelta(days=keep[table])
    ]
    return sorted(steps, key=lambda step: (step.day, step.table))


def keep_up(store: Store, keep: Mapping[str, int], today: date) -> list[Step]:
    """Do what is due, and return it. Safe to be interrupted, and to run again.

    Minutes that were moved are forgotten at the next look.
    """
    steps = due(days_held(store), keep, today, first_minutes(store))
    for step in steps:
        if step.table in OF_FUNCTIONS:
            finish_day(store, (step.day - EPOCH).days)
        if step.rolled_up:
            roll_up_day(store, step.day)
        else:
            drop_day(store, step.table, step.day)
    return steps


class Upkeep:
    """`keep_up` at once and then every hour, until `stop` is set."""

    def __init__(
        self,
        store: Store,
        keep: Mapping[str, int],
        clock: Callable[[], float],
        every_s: float = EVERY_S,
    ) -> None:
        self._store, self._keep, self._clock, self._every_s = store, keep, clock, every_s

    def run(self, stop: threading.Event) -> None:
        """The loop of a thread. A store that fails is tried again the next time."""
        is_told = False
        while not stop.is_set():
            today = datetime.fromtimestamp(self._clock(), UTC).date()
            try:
                if not is_told:
                    tell_engine(self._store, self._keep)
                    is_told = True
                keep_up(self._store, self._keep, today)
            except StoreError as error:
                log.warning("old days were not forgotten: %s", error)
            stop.wait(self._every_s)
