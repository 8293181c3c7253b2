"""Applies the numbered schema files that a store has not seen yet."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from collector.store.engine import Engine
from collector.store.errors import StoreTooNew
from collector.store.texts import query_text, schema_files, statements

__all__ = ["Pending", "migrate", "pending"]

FILLING = re.compile(r"^INSERT INTO", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Pending:
    """A schema file that a store has not seen: its statements in order, placeholders filled."""

    version: int
    name: str
    statements: tuple[str, ...]


def pending(engine: Engine) -> list[Pending]:
    """What `migrate` would do, in order. Changes nothing; raises StoreTooNew."""
    files, engine = schema_files(), engine.anywhere()
    known = engine.select(engine.dialect.filled(query_text("has_migrations")), {}).num_rows
    applied = engine.select(query_text("migrations"), {})["version"].to_pylist() if known else []
    newest = max(files)
    if applied and max(applied) > newest:
        raise StoreTooNew(
            f"The store has schema version {max(applied)}, this program knows {newest}: "
            "run the newer version, or choose another store with --data or --clickhouse."
        )
    return [
        Pending(version, path.name, _statements(engine, path))
        for version, path in sorted(files.items())
        if version not in applied
    ]


def migrate(engine: Engine, clock: Callable[[], float]) -> list[str]:
    """Apply what is missing, in order, and return the names of the files applied.

    Every statement is `IF NOT EXISTS`, so a migration that was interrupted is simply run again.
    """
    whole, engine = engine, engine.anywhere()
    missing = pending(engine)
    for one in missing:
        for statement in one.statements:
            # What each shard has is moved on each shard.
            (whole if FILLING.search(statement) else engine).execute(statement)
        _record(engine, one.version, one.name, int(clock() * 1000))
    return [one.name for one in missing]


def _statements(engine: Engine, path: Path) -> tuple[str, ...]:
    return tuple(text for one in statements(path) for text in engine.dialect.statements(one))


def _record(engine: Engine, version: int, name: str, applied_ms: int) -> None:
    row = pa.table(
        {
            "version": np.array([version], np.uint32),
            "name": [name],
            "applied_ms": np.array([applied_ms], np.uint64),
        }
    )
    engine.insert("schema_migrations", row, f"migration-{version}")
