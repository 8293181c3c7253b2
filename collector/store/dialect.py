"""What an engine has, asked once: which settings statements may name; nothing else is relied on."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import pyarrow as pa

__all__ = ["Dialect", "dialect_of", "read_dialect"]

#: One batch is one block: one part, one entry in the deduplication log, in the table and its views.
INSERT_SETTINGS: dict[str, int] = {
    "deduplicate_blocks_in_dependent_materialized_views": 1,
    "max_insert_threads": 1,
    "min_insert_block_size_rows": 1_000_000,
    "min_insert_block_size_bytes": 0,
    "max_insert_block_size": 1_000_000,
    "async_insert": 0,
}
#: What 18.16 calls an experiment.
SESSION_SETTINGS: dict[str, int] = {"allow_experimental_low_cardinality_type": 1}
TOKEN = "insert_deduplication_token"
WINDOW = "non_replicated_deduplication_window"
#: All that it takes for a repeated block to be dropped from a plain table and from its views.
TOKENS_NEED = ("deduplicate_blocks_in_dependent_materialized_views", TOKEN)


@dataclass(frozen=True, slots=True)
class Dialect:
    """has_tokens: repeats of a block are dropped by the engine, in tables and views.
    session, insert: settings to use with every statement, and with inserts.
    names: placeholder -> text, in schema files and repairs.
    """

    has_tokens: bool
    session: dict[str, int]
    insert: dict[str, int]
    names: dict[str, str] = field(default_factory=dict)

    def filled(self, statement: str) -> str:
        """A statement with its placeholders filled."""
        for name, text in self.names.items():
            statement = statement.replace(f"{{{name}}}", text)
        return statement


def dialect_of(
    settings: Iterable[str], table_settings: Iterable[str], database: str = "default"
) -> Dialect:
    """The dialect of an engine with these names in system.settings and merge_tree_settings."""
    known, of_tables = set(settings), set(table_settings)
    has_window = WINDOW in of_tables
    return Dialect(
        has_tokens=has_window and known.issuperset(TOKENS_NEED),
        session=_known(SESSION_SETTINGS, known),
        insert=_known(INSERT_SETTINGS, known),
        names={
            # A table that remembers currentDatabase() reads another one when 18.16 starts again.
            "database": f"'{database}'",
            "deduplicated": f"SETTINGS {WINDOW} = 10000" if has_window else "",
            "deduplicated_briefly": f"SETTINGS {WINDOW} = 100" if has_window else "",
            # A correction of a roll-up is no repeat, even if it looks like an earlier one.
            "never_deduplicated": "SETTINGS insert_deduplicate = 0" if has_window else "",
        },
    )


def read_dialect(
    select: Callable[[str, Mapping[str, list[str]]], pa.Table], question: str
) -> Dialect:
    """Ask an engine; `question` is `queries/engine_settings.sql`: place, name.

    Only for the names that matter: a limit of rows must not hide them.
    """
    names = [*INSERT_SETTINGS, *SESSION_SETTINGS, TOKEN, WINDOW]
    rows = select(question, {"names": names}).to_pylist()
    return dialect_of(
        (row["name"] for row in rows if row["place"] == "settings"),
        (row["name"] for row in rows if row["place"] == "tables"),
        next(row["name"] for row in rows if row["place"] == "database"),
    )


def _known(settings: dict[str, int], known: set[str]) -> dict[str, int]:
    return {name: value for name, value in settings.items() if name in known}
