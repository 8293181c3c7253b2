"""Schema files: applied once, in order; resumed; a newer store is refused."""

import random
import threading
import time
from datetime import date

import pytest

from collector.answers import function_sums
from collector.answers.functions import functions
from collector.answers.records import Window
from collector.store import function_reads, migrations
from collector.store.embedded import Embedded
from collector.store.engine import QueryLimits
from collector.store.errors import StoreError, StoreTooNew
from collector.store.function_rollup import roll_up_functions
from collector.store.migrations import _record, migrate
from collector.store.retention import drop_day, roll_up_day
from collector.store.store import open_store
from collector.store.texts import query_text, schema_files
from profiler.vocabulary import WIRE
from tests.collector.clickhouse import ClickHouse
from tests.collector.rows import SERVICE, START_MS, request_rows, sample_rows, stack_rows

TYPES = {
    "u8": "UInt8",
    "u16": "UInt16",
    "u32": "UInt32",
    "u64": "UInt64",
    "f32": "Float32",
    "f64": "Float64",
    "str": "LowCardinality(String)",
    "text": "String",
    "u8[]": "Array(UInt8)",
    "u32[]": "Array(UInt32)",
    "u64[]": "Array(UInt64)",
    "str[]": "Array(LowCardinality(String))",
}


@pytest.fixture
def engine(tmp_path):
    opened = Embedded(tmp_path / "chdb", QueryLimits(), query_text("engine_settings"))
    yield opened
    opened.close()


def clock() -> float:
    return 1_790_337_600.0


def test_files_are_applied_once_and_in_order(engine):
    names = [path.name for _, path in sorted(schema_files().items())]
    assert migrate(engine, clock) == names
    assert migrate(engine, clock) == []
    rows = engine.select("SELECT version, applied_ms FROM schema_migrations ORDER BY version", {})
    assert rows["version"].to_pylist() == sorted(schema_files())
    assert set(rows["applied_ms"].to_pylist()) == {1_790_337_600_000}


def test_an_interrupted_migration_is_resumed(engine):
    """The tables of the last file are there, but not its record: a crash in between."""
    newest = max(schema_files())
    migrate(engine, clock)
    engine.execute(f"ALTER TABLE schema_migrations DELETE WHERE version = {newest}")
    engine.execute("OPTIMIZE TABLE schema_migrations FINAL")
    assert migrate(engine, clock) == [schema_files()[newest].name]


def test_a_store_of_a_newer_version_is_refused(engine):
    migrate(engine, clock)
    _record(engine, 999, "0999_future.sql", 0)
    with pytest.raises(StoreTooNew, match="schema version 999"):
        migrate(engine, clock)


def test_the_schema_has_the_columns_of_the_vocabulary(engine):
    migrate(engine, clock)
    stored = engine.select(
        "SELECT table, name, type FROM system.columns "
        "WHERE database = currentDatabase() AND default_kind = ''",
        {},
    ).to_pylist()
    for table, columns in WIRE.items():
        found = {row["name"]: row["type"] for row in stored if row["table"] == table}
        expected = {column.name: TYPES[column.type] for column in columns}
        own = {"day": "Date", "batch_id": "String"} | (
            {"cell": "UInt8"} if table == "requests" else {}
        )
        assert found == expected | own, table


def test_a_server_killed_while_it_migrates_has_the_same_schema_afterwards(tmp_path):
    server, rng = ClickHouse(tmp_path), random.Random(1)
    server.start()
    try:
        open_store(server.url("whole")).close()
        for number in range(4):
            url, ends = server.url(f"cut_{number}"), []

            def open_once(url=url, ends=ends):
                try:
                    open_store(url).close()
                except StoreError as error:
                    ends.append(str(error))

            opening = threading.Thread(target=open_once)
            opening.start()
            time.sleep(rng.uniform(0.02, 0.1))
            server.kill()
            opening.join()
            assert all("does not answer" in told for told in ends)
            server.start()
            open_store(url).close()
            assert created(server, f"cut_{number}") == created(server, "whole")
    finally:
        server.kill()


def created(server, database):
    """The statements that make what a database holds."""
    client = server.client()
    names = [name for (name,) in client.execute(f"SHOW TABLES FROM {database}")]
    texts = [client.execute(f"SHOW CREATE TABLE {database}.{name}")[0][0] for name in names]
    client.disconnect()
    assert len(texts) > 15
    return [text.replace(f"{database}.", "").replace(f"'{database}'", "") for text in texts]


@pytest.mark.parametrize("kind", ["embedded", "server"])
@pytest.mark.parametrize("interrupted", [False, True])
def test_steps_of_requests_from_before_are_made_once(
    request, tmp_path, monkeypatch, kind, interrupted
):
    """A day that is read by hours, and one of minutes, were there before the file of steps."""
    where = tmp_path / "store"
    if kind == "server":
        where = request.getfixturevalue("clickhouse").url(f"before_steps_{int(interrupted)}")
    files = schema_files()
    with monkeypatch.context() as patch:
        before = {version: path for version, path in files.items() if version < 10}
        patch.setattr(migrations, "schema_files", lambda: before)
        store = open_store(where)
        for at, start_ms in enumerate((START_MS - 86_400_000, START_MS)):
            store.insert("requests", request_rows(300, at, start_ms=start_ms), f"b{at}")
        roll_up_day(store, date(2026, 9, 24))
        if interrupted:
            drop_day(store, "endpoint_minutes", date(2026, 9, 24))
            patch.setattr(migrations, "schema_files", lambda: files)
            patch.setattr(migrations, "_record", lambda *_: None)
            migrate(store._engine, clock)
        store.close()
    store = open_store(where)
    window = {"service": SERVICE, "from_ms": START_MS - 86_400_000, "to_ms": START_MS + 1_200_000}
    assert sum(store.query("endpoints_minutes", **window)["requests"].to_pylist()) == 600
    store.insert("requests", request_rows(50, 9), "b9")
    for step_ms in (60_000, 300_000, 7_200_000, 86_400_000):
        found = store.query("series_minutes", endpoint="", step_ms=step_ms, **window)
        # Below an hour's step the day of hours is not asked for by minutes, but by 5 minutes.
        assert sum(found["requests"].to_pylist()) == (350 if step_ms == 60_000 else 650)
    store.close()


@pytest.mark.parametrize("interrupted", [False, True])
def test_codecs_come_to_a_store_with_rows(tmp_path, monkeypatch, interrupted):
    """Columns keep their types and what they are made of; rows stay, in old parts and in new ones.
    After an interruption the file is applied from its start."""
    files = schema_files()
    with monkeypatch.context() as patch:
        before = {version: path for version, path in files.items() if version < 14}
        patch.setattr(migrations, "schema_files", lambda: before)
        store = open_store(tmp_path)
        store.insert("requests", request_rows(300, 1), "b1")
        columns = columns_of(store)
        if interrupted:
            patch.setattr(migrations, "schema_files", lambda: files)
            dies_at(patch, store._engine, 3)
            with pytest.raises(StoreError, match="the power is gone"):
                migrate(store._engine, clock)
        store.close()
    store = open_store(tmp_path)
    after = columns_of(store)
    assert {key: kinds[:3] for key, kinds in after.items() if key in columns} == {
        key: kinds[:3] for key, kinds in columns.items()
    }
    assert after["requests", "trace_id"][3] == "CODEC(ZSTD(1))"
    assert after["requests", "wall_bucket"][3] == "CODEC(T64, LZ4)"
    assert after["endpoint_hours", "wallMap.n"][3] == "CODEC(ZSTD(1))"
    store.insert("requests", request_rows(200, 2), "b2")
    store._engine.execute("OPTIMIZE TABLE requests FINAL")
    window = {"service": SERVICE, "from_ms": START_MS, "to_ms": START_MS + 1_200_000}
    for way in ("endpoints_raw", "endpoints_minutes"):
        assert sum(store.query(way, **window)["requests"].to_pylist()) == 500
    store.close()


def dies_at(patch, engine, number):
    """The statement of this number, from now on, is not run."""
    real, done = engine.execute, iter(range(1_000))

    def execute(*words):
        if next(done) == number:
            raise StoreError("the power is gone")
        real(*words)

    patch.setattr(engine, "execute", execute)


def columns_of(store):
    """By table and column: type, what it is made of, how it is compressed."""
    found = store._engine.select(
        "SELECT table, name, type, default_kind, default_expression, compression_codec "
        "FROM system.columns WHERE database = currentDatabase()",
        {},
    ).to_pylist()
    return {(row["table"], row["name"]): tuple(row.values())[2:] for row in found}


@pytest.mark.parametrize("kind", ["embedded", "server"])
def test_functions_of_samples_from_before_are_computed(request, tmp_path, monkeypatch, kind):
    """Samples were there before the tables of functions."""
    where = tmp_path / "store"
    if kind == "server":
        where = request.getfixturevalue("clickhouse").url("before_functions")
    files = schema_files()
    with monkeypatch.context() as patch:
        before = {version: path for version, path in files.items() if version < 14}
        patch.setattr(migrations, "schema_files", lambda: before)
        store = open_store(where)
        patch.setattr(store.functions, "late", lambda *_: None)
        store.insert("stack_samples", sample_rows(100, 1), "s")
        store.insert("stacks", stack_rows(), "t")
        store.close()
    store = open_store(where)
    whole = Window(START_MS, START_MS + 3_600_000)
    expected = {cost.function: cost.samples for cost in asked(store, whole)}
    assert sum(expected.values()) > 1_000
    roll_up_functions(store, START_MS + 4_000_000)
    plan = function_reads.plan_of(store, whole)
    assert (len(plan.hours), plan.raw) == (1, ())
    monkeypatch.setattr(function_sums, "RAW_MS_MAX", 0)
    assert {cost.function: cost.samples for cost in asked(store, whole)} == expected
    store.close()


def asked(store, window):
    return functions(store, window, service=SERVICE, endpoint="").data
