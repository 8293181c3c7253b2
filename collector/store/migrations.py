"""Applies the numbered schema files that a store has not seen yet."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa

from collector.store.engine import Engine
from collector.store.errors import StoreTooNew

__all__ = ["SCHEMA_DIR", "migrate", "schema_files"]

SCHEMA_DIR = Path(__file__).parent / "schema"
#: Statements of a file end with a semicolon at the end of a line.
STATEMENT_END = re.compile(r";\s*$", re.MULTILINE)


def migrate(engine: Engine, clock: Callable[[], float]) -> list[str]:
    """Apply what is missing, in order, and return the names of the files applied.

    Every statement is `IF NOT EXISTS`, so a migration that was interrupted is simply run again.
    """
    files = schema_files()
    for statement in _statements(files[0]):
        engine.execute(engine.dialect.filled(statement))
    applied = engine.select("SELECT version FROM schema_migrations", {})["version"].to_pylist()
    newest = max(files)
    if applied and max(applied) > newest:
        raise StoreTooNew(
            f"The store has schema version {max(applied)}, this program knows {newest}: "
            "run the newer version, or choose another store with --data or --clickhouse."
        )
    missing = [version for version in sorted(files) if version not in applied]
    for version in missing:
        for statement in _statements(files[version]):
            engine.execute(engine.dialect.filled(statement))
        _record(engine, version, files[version].name, int(clock() * 1000))
    return [files[version].name for version in missing]


def schema_files() -> dict[int, Path]:
    """Version -> file, for every numbered file."""
    return {int(path.name.split("_")[0]): path for path in sorted(SCHEMA_DIR.glob("*.sql"))}


def _statements(path: Path) -> list[str]:
    return [part for part in STATEMENT_END.split(path.read_text("utf-8")) if part.strip()]


def _record(engine: Engine, version: int, name: str, applied_ms: int) -> None:
    row = pa.table(
        {
            "version": np.array([version], np.uint32),
            "name": [name],
            "applied_ms": np.array([applied_ms], np.uint64),
        }
    )
    engine.insert("schema_migrations", row, f"migration-{version}")
