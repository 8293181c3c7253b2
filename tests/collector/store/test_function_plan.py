"""Each moment of a window is read once, however its steps and hours fare."""

import random

import pytest

from collector.store.function_plan import (
    DAY_MS,
    HOUR_MS,
    STEP_MS,
    Mark,
    hour_counts,
    planned,
    step_counts,
)

START_MS = 20_000 * DAY_MS
STEPS = range(START_MS, START_MS + HOUR_MS, STEP_MS)
DAYS = {20_000, 20_001}


def marked(*hours, at_ms=START_MS):
    """Whole hours from `at_ms` on, each with its steps; the version says which."""
    marks = {}
    for number in hours:
        first_ms = at_ms + number * HOUR_MS
        for k in range(6):
            marks[STEP_MS, first_ms + k * STEP_MS] = Mark(100 * number + k, False)
        marks[HOUR_MS, first_ms] = Mark(100 * number + 50, False)
    return marks


def plan(from_ms, to_ms, marks, step_days=DAYS, hour_days=DAYS):
    return planned(
        START_MS + from_ms, START_MS + to_ms, marks, step_days=step_days, hour_days=hour_days
    )


def test_whole_hours_are_read_by_hours_and_the_ends_by_steps_and_raw():
    found = plan(STEP_MS - 7, 3 * HOUR_MS + STEP_MS + 9, marked(0, 1, 2, 3))
    assert found.hours == (150, 250)
    assert found.steps == (1, 2, 3, 4, 5, 300)
    end_ms = START_MS + 3 * HOUR_MS + STEP_MS
    assert found.raw == ((START_MS + STEP_MS - 7, START_MS + STEP_MS), (end_ms, end_ms + 9))


def test_what_is_not_computed_is_read_raw():
    whole = ((START_MS, START_MS + HOUR_MS),)
    assert plan(0, HOUR_MS, {}).raw == whole
    assert plan(1, STEP_MS, marked(0)).raw == ((START_MS + 1, START_MS + STEP_MS),)
    # Marks outlive rows.
    assert plan(0, HOUR_MS, marked(0), step_days=set(), hour_days=set()).raw == whole


def test_steps_are_read_where_an_hour_does_not_count():
    marks = marked(0)
    assert plan(0, HOUR_MS, marks, hour_days=set()).steps == (0, 1, 2, 3, 4, 5)
    del marks[HOUR_MS, START_MS]
    assert plan(0, HOUR_MS, marks).steps == (0, 1, 2, 3, 4, 5)


@pytest.mark.parametrize("mark", [Mark(60, True), None])
def test_an_hour_counts_only_with_all_of_its_steps(mark):
    marks = marked(0)
    assert hour_counts(marks, START_MS)
    if mark:
        marks[STEP_MS, STEPS[2]] = mark
    else:
        del marks[STEP_MS, STEPS[2]]
    assert not hour_counts(marks, START_MS)
    assert not step_counts(marks, STEPS[2])
    found = plan(0, HOUR_MS, marks)
    assert (found.hours, found.steps) == ((), (0, 1, 3, 4, 5))
    assert found.raw == ((STEPS[2], STEPS[3]),)


def test_an_hour_that_is_older_than_one_of_its_steps_does_not_count():
    marks = marked(0) | {(STEP_MS, STEPS[3]): Mark(70, False)}
    assert plan(0, HOUR_MS, marks).steps == (0, 1, 2, 70, 4, 5)
    marks[HOUR_MS, START_MS] = Mark(71, False)
    assert plan(0, HOUR_MS, marks).hours == (71,)


def test_every_moment_is_read_once():
    """Marks, days and windows at random: the parts of a plan cover the window without overlap."""
    rng = random.Random(7)
    for _ in range(300):
        marks = marked(*(h for h in range(30) if rng.random() < 0.7))
        for key in rng.sample(sorted(marks), len(marks) // 5):
            choice = rng.random()
            if choice < 0.5:
                del marks[key]
            else:
                marks[key] = Mark(10_000 + key[1] // STEP_MS, choice < 0.8)
        lengths = {(mark.version, length): length for (length, _), mark in marks.items()}
        from_ms, to_ms = sorted(rng.sample(range(30 * HOUR_MS), 2))
        days = {day for day in DAYS if rng.random() < 0.8}
        found = plan(from_ms, to_ms, marks, step_days=days)
        covered = sum(b - a for a, b in found.raw)
        covered += sum(lengths[version, HOUR_MS] for version in found.hours)
        covered += sum(lengths[version, STEP_MS] for version in found.steps)
        assert covered == to_ms - from_ms
        assert list(found.raw) == sorted(found.raw)
        assert all(a < b for a, b in found.raw)
