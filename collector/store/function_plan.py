"""Which steps and hours of functions count, and what has to be read from raw samples. Pure."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from profiler.vocabulary import DAY_MS, HOUR_MS

__all__ = ["DAY_MS", "HOUR_MS", "STEP_MS", "Mark", "Plan", "hour_counts", "planned", "step_counts"]

STEP_MS = 600_000


@dataclass(frozen=True, slots=True)
class Mark:
    """The newest of a step or hour. `is_stale`: samples came after that version was computed."""

    version: int
    is_stale: bool


#: By length and start, ms.
Marks = Mapping[tuple[int, int], Mark]


@dataclass(frozen=True, slots=True)
class Plan:
    """The parts of a window, each once: `hours` and `steps`: versions; `raw`: half open, ms."""

    hours: tuple[int, ...]
    steps: tuple[int, ...]
    raw: tuple[tuple[int, int], ...]


def step_counts(marks: Marks, start_ms: int) -> bool:
    """Whether a step is computed with all of its samples."""
    mark = marks.get((STEP_MS, start_ms))
    return mark is not None and not mark.is_stale


def hour_counts(marks: Marks, start_ms: int) -> bool:
    """Whether an hour was made of the steps as they are now, and of all six."""
    hour = marks.get((HOUR_MS, start_ms))
    return hour is not None and all(
        step_counts(marks, step) and marks[STEP_MS, step].version < hour.version
        for step in range(start_ms, start_ms + HOUR_MS, STEP_MS)
    )


def planned(
    from_ms: int,
    to_ms: int,
    marks: Marks,
    *,
    step_days: Collection[int],
    hour_days: Collection[int],
) -> Plan:
    """How to read a window: in hours, in steps where an hour does not count, raw else.

    `step_days`, `hour_days`: days since 1970 of which rows of steps and hours are there. Marks
    outlive rows, so other days are read raw.
    """
    hours: list[int] = []
    steps: list[int] = []
    at_ms, raw = from_ms, list[tuple[int, int]]()
    for start_ms, length_ms in _pieces(from_ms, to_ms, marks, step_days, hour_days):
        (hours if length_ms == HOUR_MS else steps).append(marks[length_ms, start_ms].version)
        if at_ms < start_ms:
            raw.append((at_ms, start_ms))
        at_ms = start_ms + length_ms
    if at_ms < to_ms:
        raw.append((at_ms, to_ms))
    return Plan(tuple(hours), tuple(steps), tuple(raw))


def _pieces(
    from_ms: int, to_ms: int, marks: Marks, step_days: Collection[int], hour_days: Collection[int]
) -> Iterator[tuple[int, int]]:
    """Start and length of what is read rolled up, in order."""
    at_ms = -(-from_ms // STEP_MS) * STEP_MS
    while at_ms + STEP_MS <= to_ms:
        day, whole = at_ms // DAY_MS, at_ms % HOUR_MS == 0 and at_ms + HOUR_MS <= to_ms
        if whole and day in hour_days and hour_counts(marks, at_ms):
            yield at_ms, HOUR_MS
            at_ms += HOUR_MS
            continue
        if day in step_days and step_counts(marks, at_ms):
            yield at_ms, STEP_MS
        at_ms += STEP_MS
