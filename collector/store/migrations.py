"""Applies the numbered schema files that a store has not seen yet."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa

from collector.store.engine import Engine
from collector.store.errors import StoreTooNew
from collector.store.texts import schema_files, statements

__all__ = ["migrate"]


def migrate(engine: Engine, clock: Callable[[], float]) -> list[str]:
    """Apply what is missing, in order, and return the names of the files applied.

    Every statement is `IF NOT EXISTS`, so a migration that was interrupted is simply run again.
    """
    files = schema_files()
    for statement in statements(files[0]):
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
        for statement in statements(files[version]):
            engine.execute(engine.dialect.filled(statement))
        _record(engine, version, files[version].name, int(clock() * 1000))
    return [files[version].name for version in missing]


def _record(engine: Engine, version: int, name: str, applied_ms: int) -> None:
    row = pa.table(
        {
            "version": np.array([version], np.uint32),
            "name": [name],
            "applied_ms": np.array([applied_ms], np.uint64),
        }
    )
    engine.insert("schema_migrations", row, f"migration-{version}")
