"""Schema files: applied once, in order; resumed; a newer store is refused."""

import random
import threading
import time

import pytest

from collector.store.embedded import Embedded
from collector.store.engine import QueryLimits
from collector.store.errors import StoreError, StoreTooNew
from collector.store.migrations import _record, migrate
from collector.store.store import open_store
from collector.store.texts import query_text, schema_files
from profiler.vocabulary import WIRE
from tests.collector.clickhouse import ClickHouse

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
