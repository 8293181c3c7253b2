"""What is forgotten, and when; what is moved from minutes to hours; that it may be interrupted."""

import re
import threading
import time
from datetime import UTC, date, datetime, timedelta
from itertools import count

import pytest

from collector.answers.endpoints import endpoints
from collector.answers.health import health
from collector.answers.records import Window
from collector.answers.series import series
from collector.errors import BadQuestion
from collector.retention import Step, Upkeep, accepted_days, due, keep_up, parse_keep
from collector.store import retention
from collector.store.answer_reads import series_sums
from collector.store.errors import StoreError
from collector.store.retention import (
    KEEP_DAYS,
    MOVED_ON,
    days_held,
    drop_day,
    roll_up_day,
    tell_engine,
)
from collector.store.store import open_store
from collector.store.texts import QUERIES_DIR
from profiler.vocabulary import SENT, WIRE
from tests.collector import rows
from tests.collector.rows import SERVICE, START_MS

DAY_MS = 86_400_000
FIRST = date(2026, 9, 25)  # of START_MS
HOUR = Window(START_MS, START_MS + 3_600_000)
WHOLE = Window(START_MS, START_MS + 2 * DAY_MS)


DATABASES = (f"kept_{number}" for number in count())


@pytest.fixture(params=["embedded", "server"])
def kept(request, tmp_path):
    """A store with a day of requests and samples, and the next one; over each engine."""
    if request.param == "embedded":
        store = open_store(tmp_path)
    else:
        store = open_store(request.getfixturevalue("clickhouse").url(next(DATABASES)))
    for at in range(2):
        start_ms = START_MS + at * DAY_MS
        batch = rows.request_rows(600, at, start_ms=start_ms, span_ms=3_600_000)
        store.insert("requests", batch, f"b{at}")
        store.insert("stack_samples", rows.sample_rows(20, at, start_ms=start_ms), f"s{at}")
    yield store
    store.close()


def test_every_table_of_days_has_its_time(kept):
    assert set(KEEP_DAYS) == set(WIRE) | {
        "endpoint_minutes", "endpoint_hours", "endpoint_steps", "host_minutes", "service_days",
        "function_steps", "function_hours",
    }  # fmt: skip
    assert set(days_held(kept)) <= set(KEEP_DAYS)


def test_what_is_due_is_older_than_it_is_kept():
    held = {
        name: [FIRST, FIRST + timedelta(1)] for name in ("requests", "endpoint_minutes", "hosts")
    }
    assert due(held, KEEP_DAYS, FIRST + timedelta(7)) == []
    assert due(held, KEEP_DAYS, FIRST + timedelta(8)) == [Step("requests", FIRST, False)]
    assert due(held, {"requests": 100, "endpoint_minutes": 14}, FIRST + timedelta(16)) == [
        Step("endpoint_minutes", FIRST, True),
        Step("endpoint_minutes", FIRST + timedelta(1), True),
    ]
    steps = {"endpoint_steps": [date(2026, 9, 21)]}
    assert due(steps, {"endpoint_steps": 14}, date(2026, 10, 11)) == []
    assert len(due(steps, {"endpoint_steps": 14}, date(2026, 10, 12))) == 1
    moved = due(held, {"endpoint_minutes": 14}, FIRST + timedelta(16), FIRST + timedelta(1))
    assert [step.rolled_up for step in moved] == [False, True]


def test_days_pass(kept):
    """A month, a look each day: what is there is what should be."""
    seen = {}
    for days in range(32):
        today = FIRST + timedelta(days)
        keep_up(kept, KEEP_DAYS, today)
        for table, held in days_held(kept).items():
            if FIRST in held:
                seen[table] = days
    assert seen == {
        "requests": 7, "stack_samples": 14, "endpoint_minutes": 15, "host_minutes": 30,
        "endpoint_hours": 31, "service_days": 31, "function_steps": 15,
    }  # fmt: skip
    keep_up(kept, KEEP_DAYS, FIRST + timedelta(409))
    assert days_held(kept) == {}


def asked(store):
    table = endpoints(store, HOUR, SERVICE).data
    points = series(store, Window(START_MS, START_MS + 5 * DAY_MS), SERVICE).data
    return {row.endpoint: row for row in table}, sum(point.requests for point in points)


def test_hours_answer_as_minutes_did(kept):
    before = asked(kept)
    roll_up_day(kept, FIRST)
    assert days_held(kept)["endpoint_hours"] == [FIRST]
    drop_day(kept, "endpoint_minutes", FIRST)
    after, total = asked(kept)
    assert total == before[1] == 1_200
    assert set(after) == set(before[0])
    for name, row in before[0].items():
        assert after[name].requests == row.requests
        assert after[name].cost == pytest.approx(row.cost)
        assert after[name].latency_ms_p99 == row.latency_ms_p99
        assert (after[name].errors, after[name].releases) == (row.errors, row.releases)


def test_a_day_is_there_once_at_every_moment_of_its_move(kept, monkeypatch):
    """Looked at before and after each statement, and with what a read asked before the last one."""
    seen, real = [], kept._engine.execute

    def look():
        seen.append(series_sums(kept, WHOLE, SERVICE, "", step_ms=DAY_MS, raw=False)["requests"])

    def looks(*words):
        look()
        real(*words)
        look()

    monkeypatch.setattr(kept._engine, "execute", looks)
    roll_up_day(kept, FIRST)
    look()
    with monkeypatch.context() as patch:
        patch.setattr(kept, "hours_until_ms", lambda: 0)
        look()
    keep_up(kept, KEEP_DAYS, FIRST + timedelta(15))
    look()
    assert days_held(kept)["endpoint_minutes"] == [FIRST + timedelta(1)]
    assert len(seen) > 50
    assert {tuple(one.to_pylist()) for one in seen} == {(600.0, 600.0)}


def test_every_question_of_hours_and_minutes_tells_one_from_the_other():
    texts = [path.read_text() for path in QUERIES_DIR.glob("*.sql")]
    both = [text for text in texts if "FROM endpoint_times" in text]
    assert len(both) >= 2
    line = "(minute_ms % 60000 = 1) = (minute_ms < {hours_until_ms:UInt64})"
    assert all(text.count(line) == text.count("FROM endpoint_times") for text in both)


@pytest.mark.parametrize("at", range(0, 25, 6))
def test_a_move_that_was_interrupted_is_made_anew(kept, monkeypatch, at):
    """The statement number `at` fails, as if the process had ended there; then the next look."""
    before, done, real = asked(kept), iter(range(100)), kept._engine.execute

    def dies(*words):
        if next(done) == at:
            raise StoreError("the power is gone")
        real(*words)

    monkeypatch.setattr(kept._engine, "execute", dies)
    with pytest.raises(StoreError):
        roll_up_day(kept, FIRST)
    monkeypatch.undo()
    for _ in range(2):
        keep_up(kept, KEEP_DAYS, FIRST + timedelta(15))
    after = asked(kept)
    assert after[1] == before[1]
    assert {n: r.requests for n, r in after[0].items()} == {
        n: r.requests for n, r in before[0].items()
    }
    assert days_held(kept)["endpoint_minutes"] == [FIRST + timedelta(1)]


def test_a_store_opens_again_after_days_were_forgotten(tmp_path):
    store = open_store(tmp_path)
    store.insert("requests", rows.request_rows(100, 1), "b")
    store.insert("requests", rows.request_rows(100, 2, start_ms=START_MS + DAY_MS), "c")
    drop_day(store, "requests", FIRST)
    store.close()
    store = open_store(tmp_path)
    store.insert("requests", rows.request_rows(100, 2, start_ms=START_MS + DAY_MS), "c")
    assert days_held(store)["requests"] == [FIRST + timedelta(1)]
    sizes = {size.table: size for size in health(store, HOUR).data.tables}
    assert sizes["requests"].rows == 100
    store.close()


def test_health_tells_ages_and_how_long_each_table_is_kept(kept):
    answer = health(kept, HOUR, parse_keep(["requests=3"]))
    sizes = {size.table: size for size in answer.data.tables}
    assert (sizes["requests"].oldest_day, sizes["requests"].keep_days) == ("2026-09-25", 3)
    assert (sizes["hosts"].oldest_day, sizes["hosts"].keep_days) == ("", 0)
    assert sizes["endpoint_hours"].keep_days == 400


def test_the_loop_goes_on_after_a_failure(kept, monkeypatch, caplog):
    stop, looks = threading.Event(), iter(range(100))
    real = retention.days_held

    def held(store):
        look = next(looks)
        if look == 0:
            raise StoreError("busy")
        if look == 2:
            stop.set()
        return real(store)

    monkeypatch.setattr("collector.retention.days_held", held)
    later = datetime(2026, 10, 3, tzinfo=UTC).timestamp()
    thread = threading.Thread(
        target=Upkeep(kept, KEEP_DAYS, lambda: later, 0.001).run, args=(stop,)
    )
    thread.start()
    thread.join(60)
    assert "old days were not forgotten: busy" in caplog.text
    assert days_held(kept)["requests"] == [FIRST + timedelta(1)]


def test_the_engine_forgets_by_itself_when_days_are_dropped(kept):
    """Where it can: on the same day. Not what others are made of."""
    keep = parse_keep(["metrics=3", "limits=400"])
    tell_engine(kept, keep)
    found = kept._engine.select(
        "SELECT name, engine_full FROM system.tables WHERE database = currentDatabase()", {}
    ).to_pylist()
    said = {row["name"]: re.findall(r"toIntervalDay\((\d+)\)", row["engine_full"]) for row in found}
    told = {name: int(days[0]) for name, days in said.items() if days}
    if not kept._engine.dialect.has_ttl:
        assert told == {}
        return
    assert set(told) == set(KEEP_DAYS) - set(MOVED_ON)
    monday = date(2026, 9, 21)
    for table, days in told.items():
        forgotten = monday + timedelta(days)
        assert due({table: [monday]}, keep, forgotten) != []
        assert due({table: [monday]}, keep, forgotten - timedelta(1)) == []


@pytest.mark.parametrize(("days", "stays"), [(3, False), (400, True)])
def test_a_store_that_nobody_looks_after_forgets(tmp_path, days, stays):
    """By the engine's own clock, with no look at days that are due."""
    store = open_store(tmp_path)
    old_ms = int(time.time() * 1000) // DAY_MS * DAY_MS - 5 * DAY_MS
    tell_engine(store, KEEP_DAYS)
    tell_engine(store, parse_keep([f"metrics={days}"]))
    store.insert("metrics", rows.metric_rows("a", [1.0, 2.0], start_ms=old_ms), "m")
    store._engine.execute("OPTIMIZE TABLE metrics FINAL")
    held = store._engine.select("SELECT count() AS n FROM metrics", {})["n"].to_pylist()
    assert held == [2 if stays else 0]
    store.close()


def test_only_known_tables_lose_days(kept):
    with pytest.raises(ValueError, match="not kept by days"):
        drop_day(kept, "hosts", FIRST)


def test_keep_is_read_from_words():
    assert parse_keep([]) == KEEP_DAYS
    changed = parse_keep(["requests=3", "metrics=400"])
    assert (changed["requests"], changed["metrics"], changed["spans"]) == (3, 400, 14)


@pytest.mark.parametrize("text", ["hosts=3", "requests", "requests=0", "requests=-1", "requests=x",
                                  "requests=4001", "requests=999999999999", "=3", ""])  # fmt: skip
def test_words_that_are_not_understood(text):
    with pytest.raises(BadQuestion, match="write"):
        parse_keep([text])


def test_nothing_is_taken_for_days_that_are_gone():
    assert {accepted_days(table, KEEP_DAYS) for table in SENT} == {7}
    assert accepted_days("requests", parse_keep(["requests=2"])) == 2
    assert accepted_days("requests", parse_keep(["host_minutes=3"])) == 3
    assert accepted_days("metrics", parse_keep(["requests=2"])) == 7
    assert accepted_days("stack_samples", parse_keep(["function_steps=4"])) == 4
