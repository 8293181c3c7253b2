"""What an engine has, asked once: which settings statements may name; nothing else is relied on.

In a cluster every table is there twice: in the database NAME_local of each server, replicated
within its shard, and in the database NAME as the sum of all shards. Inserts, views, repairs and
schema files work in the former, questions in the latter: the same texts serve one server and many.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import pyarrow as pa

__all__ = [
    "LOCAL",
    "Dialect",
    "cluster_dialect",
    "dialect_of",
    "read_cluster_dialect",
    "read_dialect",
]

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
REPLICATED_WINDOW = "replicated_deduplication_window"
REPLICATED_BLOCKS = 10_000
#: What the database of a server's own tables is called, in a cluster.
LOCAL = "_local"
#: Settings of servers that have codecs of columns, and times to live of tables.
HAS_CODECS, HAS_TTL = "allow_suspicious_codecs", "ttl_only_drop_parts"
TABLE = re.compile(r"CREATE TABLE IF NOT EXISTS (\w+)")
V = TypeVar("V", bound=int | str)
Select = Callable[[str, Mapping[str, list[str]]], pa.Table]
#: A question reads one replica of every shard, the first ones first, and none that lags if another
#: does not; where a shard has none that answers it fails.
SHARDED_SETTINGS: dict[str, int | str] = {
    "distributed_product_mode": "global",
    "load_balancing": "in_order",
    "skip_unavailable_shards": 0,
    "max_replica_delay_for_distributed_queries": 10,
    "connect_timeout_with_failover_ms": 2_000,
    "distributed_ddl_task_timeout": 60,
}
#: Statements that are no batch are never taken for repeats: two corrections may look the same.
CORRECTION_SETTINGS: dict[str, int] = {"insert_deduplicate": 0}
#: All that it takes for a repeated block to be dropped from a plain table and from its views.
TOKENS_NEED = ("deduplicate_blocks_in_dependent_materialized_views", TOKEN)
#: A setting of servers that push on what a view has written into a table.
PUSHES_ON = "deduplicate_blocks_in_dependent_materialized_views"


@dataclass(frozen=True, slots=True)
class Dialect:
    """has_tokens: repeats of a block are dropped by the engine, in tables and views.
    has_codecs, has_ttl: columns may be compressed each in its way; tables forget by themselves.
    session, insert, correct: settings to use with every statement, with inserts of batches, and
    with statements without a result.
    names: placeholder -> text, in schema files, repairs and questions.
    sum_of_shards: the statement that makes a table of the cluster; "" where there is none.
    """

    has_tokens: bool
    session: dict[str, int | str]
    insert: dict[str, int]
    correct: dict[str, int] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    sum_of_shards: str = ""
    has_codecs: bool = False
    has_ttl: bool = False

    @property
    def is_replicated(self) -> bool:
        """Whether this is a cluster."""
        return bool(self.sum_of_shards)

    def filled(self, statement: str) -> str:
        """A statement with its placeholders filled."""
        table = TABLE.search(statement)
        for name, text in self.names.items():
            statement = statement.replace(f"{{{name}}}", text)
        return statement.replace("{table}", table[1]) if table else statement

    def statements(self, statement: str) -> list[str]:
        """A statement of a schema file, filled, and what else there is to do on a cluster; nothing
        where the engine has not what it is about."""
        if "CODEC(" in statement and not self.has_codecs:
            return []
        table = TABLE.search(statement)
        if not table or not self.sum_of_shards or "{zookeeper_path_of_all}" in statement:
            return [self.filled(statement)]
        return [self.filled(statement), self.sum_of_shards.replace("{table}", table[1])]


def dialect_of(
    settings: Iterable[str], table_settings: Iterable[str], database: str = "default"
) -> Dialect:
    """The dialect of one engine with these names in system.settings and merge_tree_settings."""
    known, of_tables = set(settings), set(table_settings)
    has_window = WINDOW in of_tables
    return Dialect(
        has_tokens=has_window and known.issuperset(TOKENS_NEED),
        session=_known(SESSION_SETTINGS, known),
        insert=_known(INSERT_SETTINGS, known),
        names={
            # A table that remembers currentDatabase() reads another one when 18.16 starts again.
            "database": f"'{database}'",
            "tables": "",
            "everywhere": "",
            "on_cluster": "",
            "replicated": "",
            "zookeeper_path": "",
            "zookeeper_path_of_all": "",
            "parts": "system.parts",
            "deduplicated": f"SETTINGS {WINDOW} = 10000" if has_window else "",
            "deduplicated_briefly": f"SETTINGS {WINDOW} = 100" if has_window else "",
            "and_deduplicated": f", {WINDOW} = 10000" if has_window else "",
            "pushed": _pushed(known),
            # A correction of a roll-up is no repeat, even if it looks like an earlier one.
            "never_deduplicated": "SETTINGS insert_deduplicate = 0" if has_window else "",
        },
        has_codecs=HAS_CODECS in known,
        has_ttl=HAS_TTL in of_tables,
    )


def cluster_dialect(
    settings: Iterable[str],
    cluster: str,
    database: str,
    sum_of_shards: str,
    table_settings: Iterable[str] = (),
) -> Dialect:
    """The dialect of the servers of a cluster that have these names in system.settings and
    merge_tree_settings.

    `sum_of_shards`: the text of `queries/sum_of_shards.sql`. Tokens are not used: replicated tables
    drop an identical block by themselves, and the store asks first.
    """
    known, local = set(settings), f"{database}{LOCAL}"
    path = f"/clickhouse/dynoscope/{database}"
    names = {
        "database": f"'{local}'",
        "tables": f"{local}.",
        "everywhere": f"{database}.",
        "on_cluster": f"ON CLUSTER {cluster}",
        "replicated": "Replicated",
        "zookeeper_path": f"('{path}/{{shard}}/{{table}}', '{{replica}}')",
        "zookeeper_path_of_all": f"('{path}/all/{{table}}', '{{shard}}-{{replica}}')",
        "parts": f"cluster('{cluster}', system, parts)",
        "deduplicated": f"SETTINGS {REPLICATED_WINDOW} = {REPLICATED_BLOCKS}",
        "deduplicated_briefly": "",
        "and_deduplicated": f", {REPLICATED_WINDOW} = {REPLICATED_BLOCKS}",
        "pushed": _pushed(known),
        "never_deduplicated": "",
    }
    summed = sum_of_shards.replace("{local}", local).replace("{cluster}", cluster)
    return Dialect(
        has_tokens=False,
        session=_known(SESSION_SETTINGS | SHARDED_SETTINGS, known),
        insert=_known(INSERT_SETTINGS, known),
        correct=_known(CORRECTION_SETTINGS, known),
        names=names,
        sum_of_shards=summed.replace("{on_cluster}", names["on_cluster"]).replace(
            "{all}", database
        ),
        has_codecs=HAS_CODECS in known,
        has_ttl=HAS_TTL in set(table_settings),
    )


def read_dialect(select: Select, question: str) -> Dialect:
    """Ask an engine; `question` is `queries/engine_settings.sql`: place, name.

    Only for the names that matter: a limit of rows must not hide them.
    """
    names = [*INSERT_SETTINGS, *SESSION_SETTINGS, TOKEN, WINDOW, HAS_CODECS, HAS_TTL]
    rows = _asked(select, question, names)
    return dialect_of(rows["settings"], rows["tables"], rows["database"][0])


def read_cluster_dialect(
    select: Select, question: str, cluster: str, database: str, sum_of_shards: str
) -> Dialect:
    """Ask one server of a cluster for all of them; see `read_dialect`, `cluster_dialect`."""
    names = [*INSERT_SETTINGS, *SESSION_SETTINGS, *SHARDED_SETTINGS, *CORRECTION_SETTINGS]
    rows = _asked(select, question, [*names, HAS_CODECS, HAS_TTL])
    return cluster_dialect(rows["settings"], cluster, database, sum_of_shards, rows["tables"])


def _asked(select: Select, question: str, names: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {"settings": [], "tables": [], "database": []}
    for row in select(question, {"names": names}).to_pylist():
        found[row["place"]].append(row["name"])
    return found


def _pushed(known: set[str]) -> str:
    """After the name of a table that a view fills: where views of that table find its rows. What a
    view fills has views of its own on current servers; on older ones the view itself has them."""
    return "" if PUSHES_ON in known else "_view"


def _known(settings: Mapping[str, V], known: set[str]) -> dict[str, V]:
    return {name: value for name, value in settings.items() if name in known}
