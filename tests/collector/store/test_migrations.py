"""Schema files: applied once, in order; resumed; a newer store is refused."""

import pytest

from collector.store.embedded import Embedded
from collector.store.engine import QueryLimits
from collector.store.errors import StoreTooNew
from collector.store.migrations import _record, migrate
from collector.store.texts import query_text, schema_files
from profiler.vocabulary import WIRE

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
