"""Functions by steps and hours: the same as raw, each sample once, over each engine."""

import random
import time
from datetime import date
from itertools import count

import numpy as np
import pyarrow as pa
import pytest

from collector.answers import function_sums
from collector.answers.records import Window
from collector.answers.sides import Side
from collector.store import function_reads, reads
from collector.store.errors import StoreError
from collector.store.function_marks import CLOSED_AFTER_MS, FunctionMarks
from collector.store.function_plan import HOUR_MS, STEP_MS
from collector.store.function_rollup import finish_day, roll_up_functions
from collector.store.retention import drop_day
from tests.collector.rows import HOSTS, STACKS, START_MS, sample_rows, stack_rows, table_of

DAY_MS = 86_400_000
DAYS = count()


@pytest.fixture
def day(store):
    """A day of its own: its start, and the name of a service that has samples in two hours of it,
    seen from 12:00 on."""
    start_ms = START_MS + next(DAYS) * DAY_MS
    service = f"service-{start_ms}"
    for at in range(2):
        first_ms = start_ms + at * HOUR_MS
        batch = sample_rows(200, at, start_ms=first_ms, span_ms=HOUR_MS, service=service)
        store.insert("stack_samples", batch, f"{service}-{at}")
    store.insert("stacks", stack_rows(start_ms=start_ms, service=service), f"{service}-stacks")
    return start_ms, service


def computed(store, start_ms, **more):
    return roll_up_functions(store, start_ms + 2 * HOUR_MS + CLOSED_AFTER_MS, **more)


def window(start_ms):
    return Window(start_ms, start_ms + 2 * HOUR_MS)


def rolled(store, start_ms, service, endpoint="", release=""):
    """By function own and inclusive weight, samples: from the roll-ups; and the plan."""
    asked = window(start_ms)
    plan = function_reads.plan_of(store, asked)
    rows = function_reads.function_sums(store, asked, plan, service, endpoint, release)
    found = {
        row["function"]: (row["self_weight_s"], row["weight_s"], row["samples"])
        for row in rows.to_pylist()
    }
    return found, plan


def raw(store, start_ms, service, endpoint="", release=""):
    """The same, by plain loops over the raw samples."""
    side = Side("", release, "", "", start_ms, start_ms + 2 * HOUR_MS)
    found = {}
    for row in reads.stack_sums(store, side, service, endpoint).to_pylist():
        frames = STACKS[row["stack_id"] - 1]
        for frame in set(frames):
            own, inclusive, samples = found.get(frame, (0.0, 0.0, 0))
            own += row["weight_s"] * (frame == frames[-1])
            found[frame] = (own, inclusive + row["weight_s"], samples + row["samples"])
    return found


def same(one, other):
    assert set(one) == set(other)
    for function, sums in one.items():
        assert other[function] == pytest.approx(sums)
    return True


def test_steps_and_hours_are_what_raw_samples_are(store, day):
    start_ms, service = day
    assert computed(store, start_ms) >= 14 * 6 + 14
    for endpoint, release in (("", ""), ("GET /api/v1/feed/", "r1"), ("", "r9")):
        found, plan = rolled(store, start_ms, service, endpoint, release)
        assert (len(plan.hours), plan.steps, plan.raw) == (2, (), ())
        assert same(raw(store, start_ms, service, endpoint, release), found)
    assert computed(store, start_ms) == 0


def test_a_step_is_computed_once_it_has_closed(store, day):
    start_ms, service = day
    closes_ms = start_ms + STEP_MS + CLOSED_AFTER_MS
    roll_up_functions(store, closes_ms - 1)
    assert rolled(store, start_ms, service)[1].steps == ()
    assert roll_up_functions(store, closes_ms) == 1
    assert len(rolled(store, start_ms, service)[1].steps) == 1


def test_late_samples_and_stacks_make_their_steps_stale(store, day):
    start_ms, service = day
    computed(store, start_ms)
    late = sample_rows(3, 9, start_ms=start_ms + STEP_MS, span_ms=1_000, service=service)
    store.insert("stack_samples", late, f"{service}-late")
    _, plan = rolled(store, start_ms, service)
    assert plan.raw == ((start_ms + STEP_MS, start_ms + 2 * STEP_MS),)
    assert (len(plan.hours), len(plan.steps)) == (1, 5)
    # A repeat of it tells nothing new; the step and the hour are computed anew.
    store.insert("stack_samples", late, f"{service}-late", attempt=2)
    assert computed(store, start_ms) == 2
    found, plan = rolled(store, start_ms, service)
    assert (len(plan.hours), plan.raw) == (2, ())
    assert same(raw(store, start_ms, service), found)


def test_frames_that_come_later_are_counted(store):
    start_ms = START_MS + next(DAYS) * DAY_MS
    service = f"service-{start_ms}"
    # Stacks of its own, that nobody knows yet.
    batch = renumbered(sample_rows(50, 1, start_ms=start_ms, service=service), start_ms)
    store.insert("stack_samples", batch, f"{service}-0")
    computed(store, start_ms)
    found, _ = rolled(store, start_ms, service)
    total, samples = sum(batch["weight_s"].to_pylist()), sum(batch["samples"].to_pylist())
    assert found == {"(unknown):stack not stored": pytest.approx((total, total, samples))}
    stacks = renumbered(stack_rows(start_ms=start_ms, service=service), start_ms)
    store.insert("stacks", stacks, f"{service}-stacks")
    assert computed(store, start_ms) > 0
    found, _ = rolled(store, start_ms, service)
    assert sum(own for own, _, _ in found.values()) == pytest.approx(total)
    assert set(found) <= {frame for frames in STACKS for frame in frames}


def renumbered(rows, by):
    at = rows.column_names.index("stack_id")
    numbers = pa.array(rows["stack_id"].to_numpy() + np.uint64(by))
    return rows.set_column(at, "stack_id", numbers)


def test_recursion_counts_once_and_cells_keep_hosts_apart(store):
    start_ms = START_MS + next(DAYS) * DAY_MS
    service, stack = f"service-{start_ms}", start_ms // 1_000_000
    for at, host in enumerate(HOSTS):
        batch = table_of(
            "stack_samples", 1, ts_ms=start_ms, service=service, host=host, region="eu", ring_id=1,
            pid=1, worker=1, release="r1", endpoint="GET /", stack_id=stack, samples=at + 1,
            weight_s=1.0, window_ms=10_000, late_ns=0, contended=0,
        )  # fmt: skip
        store.insert("stack_samples", batch, f"{service}-{host}")
    frames = table_of(
        "stacks", 1, ts_ms=start_ms, service=service, host=HOSTS[0], stack_id=stack,
        frames=[["a:f", "a:g", "a:f"]], lines=[[1, 2, 3]], origins=[[0, 2, 0]],
    )  # fmt: skip
    store.insert("stacks", frames, f"{service}-stacks")
    computed(store, start_ms)
    found, _ = rolled(store, start_ms, service)
    assert found == {"a:f": (2.0, 2.0, 3), "a:g": (0.0, 2.0, 3)}
    assert len(set(store.cells(HOSTS))) == len(HOSTS)


def test_the_cost_of_functions_past_the_limit_is_kept_as_that_of_others(store, day):
    start_ms, service = day
    assert computed(store, start_ms, functions_max=2) > 0
    feed = "GET /api/v1/feed/"
    found, plan = rolled(store, start_ms, service, feed)
    assert plan.raw == ()
    whole = raw(store, start_ms, service, feed)
    assert set(found) == {"service.wsgi:application", "feed.views:feed", "(other)"}
    total = sum(own for own, _, _ in whole.values())
    assert sum(own for own, _, _ in found.values()) == pytest.approx(total)
    for kept in ("service.wsgi:application", "feed.views:feed"):
        assert found[kept] == pytest.approx(whole[kept])
    assert found["(other)"][0] == found["(other)"][1]
    hits = store.query("limits", service=service, from_ms=start_ms, to_ms=start_ms + DAY_MS)
    assert [(row["where"], row["what"]) for row in hits.to_pylist()] == [
        ("store", "functions_over_limit")
    ]
    before = hits["hits"].to_pylist()
    late = sample_rows(20, 5, start_ms=start_ms, service=service)
    store.insert("stack_samples", late, f"{service}-late")
    computed(store, start_ms, functions_max=2)
    again = store.query("limits", service=service, from_ms=start_ms, to_ms=start_ms + DAY_MS)
    assert again["hits"].to_pylist() == before


@pytest.mark.parametrize("seed", range(3))
def test_whatever_fails_when_each_sample_counts_once(store, day, monkeypatch, seed):
    """Statements fail at random, before or after they were run, and what the process knew is lost;
    samples come late meanwhile, and are sent until they are acknowledged."""
    start_ms, service = day
    monkeypatch.setattr(function_sums, "RAW_MS_MAX", 0)
    rng = random.Random(seed)
    for at in range(5):
        late_ms = start_ms + rng.randrange(2 * HOUR_MS // STEP_MS) * STEP_MS
        late = sample_rows(5, at, start_ms=late_ms, span_ms=STEP_MS, service=service)
        for turn in range(100):
            with monkeypatch.context() as patch:
                dies(patch, store, rng)
                try:
                    computed(store, start_ms)
                    store.insert("stack_samples", late, f"{service}-{at}-late", attempt=turn + 1)
                    break
                except StoreError:
                    pass
            store.functions = FunctionMarks(store._engine, time.time)
        assert asked(store, start_ms, service) == pytest.approx(whole(store, start_ms, service))
    computed(store, start_ms)
    found, plan = rolled(store, start_ms, service)
    assert plan.raw == ()
    assert same(raw(store, start_ms, service), found)


def dies(patch, store, rng):
    """One statement in ten fails from now on, of those that change anything."""
    kind = type(store._engine.holder("any"))
    for name in ("execute", "insert"):
        real = getattr(kind, name)

        def fails(*words, real=real):
            chance = rng.random()
            if chance < 0.05:
                raise StoreError("the power is gone")
            real(*words)
            if chance > 0.95:
                raise StoreError("the power is gone, after that")

        patch.setattr(kind, name, fails)


def asked(store, start_ms, service):
    """The weight of all samples, as an answer has it."""
    return function_sums.function_sums(store, window(start_ms), service, "", "").weight_s


def whole(store, start_ms, service):
    side = Side("", "", "", "", start_ms, start_ms + 2 * HOUR_MS)
    return sum(reads.stack_sums(store, side, service)["weight_s"].to_pylist())


def test_a_day_is_finished_before_its_samples_are_forgotten(store, day):
    start_ms, service = day
    before = raw(store, start_ms, service)
    finish_day(store, start_ms // DAY_MS)
    _, plan = rolled(store, start_ms, service)
    assert (len(plan.hours), plan.raw) == (2, ())
    drop_day(store, "stack_samples", date.fromtimestamp(start_ms / 1000))
    drop_day(store, "function_steps", date.fromtimestamp(start_ms / 1000))
    found, plan = rolled(store, start_ms, service)
    assert (len(plan.hours), plan.raw) == (2, ())
    assert same(before, found)
