"""Functions over long times are what raw samples say, also once these are forgotten."""

from datetime import date

import pytest

from collector.answers import function_sums
from collector.answers.functions import functions
from collector.answers.records import Window
from collector.store.function_rollup import roll_up_functions
from collector.store.retention import drop_day
from tests.collector import rows
from tests.collector.rows import ENDPOINTS, SERVICE, START_MS

HOUR_MS = 3_600_000
HOURS = 8
FIRST = date(2026, 9, 25)  # of START_MS
#: Starts and ends in the midst of steps.
LONG = Window(START_MS + 123_456, START_MS + HOURS * HOUR_MS - 99_000)
#: In days that no one has samples of any more.
MONTH = Window(START_MS - 20 * 24 * HOUR_MS, START_MS + 10 * 24 * HOUR_MS)
NUMBERS = ("self_ns", "inclusive_ns", "self_share", "inclusive_share", "samples", "origin")


@pytest.fixture(scope="module", autouse=True)
def filled(store):
    for at in range(HOURS):
        release = "r2" if at > 4 else "r1"
        common = {"start_ms": START_MS + at * HOUR_MS, "span_ms": HOUR_MS, "release": release}
        store.insert("stack_samples", rows.sample_rows(300, at, **common), f"s{at}")
        store.insert("requests", rows.request_rows(400, at, killed_share=0.02, **common), f"r{at}")
    store.insert("stacks", rows.stack_rows(), "stacks")
    roll_up_functions(store, START_MS + (HOURS + 1) * HOUR_MS)


def asked(store, window, endpoint="", release=""):
    answer = functions(store, window, service=SERVICE, endpoint=endpoint, release=release)
    return {cost.function: tuple(getattr(cost, name) for name in NUMBERS) for cost in answer.data}


def raw(store, monkeypatch, *words):
    with monkeypatch.context() as patch:
        patch.setattr(function_sums, "RAW_MS_MAX", 10**12)
        return asked(store, *words)


def same(one, other):
    assert one
    assert set(one) == set(other)
    for function, numbers in one.items():
        assert other[function] == pytest.approx(numbers)


@pytest.mark.parametrize("endpoint", ["", *ENDPOINTS[:2]])
@pytest.mark.parametrize("release", ["", "r2"])
def test_long_windows_are_read_rolled_up_with_the_same_numbers(
    store, monkeypatch, endpoint, release
):
    expected = raw(store, monkeypatch, LONG, endpoint, release)
    read, real = [], function_sums.reads.stack_sums

    def stack_sums(of, side, *words):
        read.append(side.to_ms - side.from_ms)
        return real(of, side, *words)

    monkeypatch.setattr(function_sums.reads, "stack_sums", stack_sums)
    same(expected, asked(store, LONG, endpoint, release))
    assert len(read) == 2
    assert max(read) < 600_000


def test_what_is_late_is_there_at_once(store, monkeypatch):
    before = asked(store, LONG)
    late = rows.sample_rows(50, 99, start_ms=START_MS + 2 * HOUR_MS, span_ms=HOUR_MS)
    store.insert("stack_samples", late, "late")
    after = asked(store, LONG)
    same(raw(store, monkeypatch, LONG), after)
    root = "service.wsgi:application"
    assert after[root][4] == before[root][4] + sum(late["samples"].to_pylist())
    roll_up_functions(store, START_MS + (HOURS + 1) * HOUR_MS)
    same(after, asked(store, LONG))


def test_functions_outlive_their_samples(store):
    """Last: it forgets them."""
    hour = Window(START_MS + HOUR_MS, START_MS + 2 * HOUR_MS)
    before = asked(store, MONTH), asked(store, hour, ENDPOINTS[0]), asked(store, LONG)
    for table in ("stack_samples", "stacks", "function_steps", "requests"):
        drop_day(store, table, FIRST)
    same(before[0], asked(store, MONTH))
    same(before[1], asked(store, hour, ENDPOINTS[0]))
    # The ends that lie within an hour are gone with the steps, and no more.
    root = "service.wsgi:application"
    assert 0.6 * before[2][root][4] < asked(store, LONG)[root][4] < before[2][root][4]
