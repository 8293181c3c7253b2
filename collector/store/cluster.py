"""A cluster of ClickHouse servers: shards, each of some replicas that hold the same.

A batch goes whole to the shard that its id names, to one replica there, and is asked for there:
the first that answers. Questions go to any server, which asks one replica of every shard; they fail
where a shard has none, and are marked as truncated where all replicas of a shard lag behind. What
changes anything is not sent to a second server after the first has failed: it may have been done.
"""

import hashlib
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from collector.store.address import ServerAddress
from collector.store.choice import Choice
from collector.store.dialect import LOCAL, Dialect, read_cluster_dialect
from collector.store.engine import Engine, Parameter, QueryLimits
from collector.store.errors import StoreAway, StoreError
from collector.store.replica import Replica
from collector.store.server import Server
from collector.store.texts import query_text

__all__ = ["Cluster", "open_cluster", "shard_of"]

#: Rows that come this much later are said to be missing; looked at this often.
LATE_S = 10
LOOK_S = 5.0
#: What statements that are run on every shard read: a replica must not lack any of it.
MOVED = ("endpoint_minutes",)
#: What changes parts, where only one replica may do so.
CHANGED = re.compile(r"(?:ALTER|OPTIMIZE) TABLE (\w+)")


def open_cluster(address: ServerAddress, limits: QueryLimits) -> "Cluster":
    """Find the servers of the cluster and make its databases. Raises StoreError."""
    places = ((address.host, address.port), *address.others)
    plain = Dialect(has_tokens=False, session={}, insert={})
    seeds = [Server(address.at(*place, ""), limits, "", plain) for place in places]
    try:
        seed = Choice(seeds, f"the cluster {address.cluster}", query_text("ping")).first()
        rows = seed.select(query_text("cluster_nodes"), {"cluster": address.cluster}).to_pylist()
        if not rows:
            raise StoreError(
                f"The server {seed} knows no cluster {address.cluster!r}: name one of its "
                "<remote_servers>."
            )
        dialect = read_cluster_dialect(
            seed.select, query_text("engine_settings"), address.cluster, address.database,
            query_text("sum_of_shards"),
        )  # fmt: skip
        _make_databases(seed, address.database, dialect)
    finally:
        for one in seeds:
            one.close()
    return Cluster(address, limits, dialect, rows)


class Cluster:
    """All servers of a cluster. Safe to use from many threads."""

    in_process = False

    def __init__(
        self,
        address: ServerAddress,
        limits: QueryLimits,
        dialect: Dialect,
        nodes: Sequence[Mapping[str, Any]],
    ) -> None:
        """`nodes`: shard_num, host_name, port, by shard and replica. Nothing is asked yet."""
        self.dialect = dialect
        self._limits = limits
        places = {
            shard: [(n["host_name"], n["port"]) for n in nodes if n["shard_num"] == shard]
            for shard in sorted({n["shard_num"] for n in nodes})
        }
        local = f"{address.database}{LOCAL}"
        shards = [
            [Replica(address.at(*place, local), limits, "", dialect) for place in shard]
            for shard in places.values()
        ]
        for shard in shards:
            for replica in shard:
                replica.others = [other for other in shard if other is not replica]
        ready = dialect.filled(query_text("replica_shut"))
        self._shards = [
            Choice(shard, f"shard {number} of the cluster {address.cluster}", ready)
            for number, shard in zip(places, shards, strict=True)
        ]
        whole = f"the cluster {address.cluster}"
        self._local = Choice([one for shard in shards for one in shard], whole, ready)
        sums = [
            Server(address.at(*place, address.database), limits, "", dialect)
            for shard in places.values()
            for place in shard
        ]
        self._sums = Choice(sums, whole, query_text("ping"))
        self._looked_s, self._is_late = -LOOK_S, False

    def execute(self, statement: str, parameters: Mapping[str, Parameter] | None = None) -> None:
        """Run a statement on one replica of each shard, that lacks no rows of MOVED."""
        changed = CHANGED.search(statement)
        for shard in self._shards:
            replica = self._leader(shard, changed[1]) if changed else shard.first()
            replica.settle(MOVED)
            replica.execute(statement, parameters)

    def select(self, statement: str, parameters: Mapping[str, Parameter]) -> pa.Table:
        """Rows of a query over all shards, cut at the row limit as `engine.cut` says, and marked in
        the same way where rows may be missing since all replicas of a shard are late."""
        table = self._sums.select(statement, parameters)
        if self._late():
            return table.replace_schema_metadata({b"truncated": b"1"})
        return table

    def insert(self, table: str, rows: pa.Table, token: str) -> None:
        """Insert `rows` as one block, into the shard that the token names."""
        self.holder(token).insert(table, rows, token)

    def anywhere(self) -> Engine:
        """A live server, with its own tables."""
        return self._local.first()

    def shard(self, batch_id: str) -> int:
        return shard_of(batch_id, len(self._shards))

    def holder(self, batch_id: str) -> Engine:
        """A live replica of the batch's shard. Raises StoreAway if it has none."""
        return self._shards[self.shard(batch_id)].first()

    def settle(self, tables: Sequence[str]) -> None:
        for shard in self._shards:
            shard.first().settle(tables)

    def select_each(
        self, statement: str, parameters: Mapping[str, Parameter]
    ) -> Sequence[pa.Table]:
        """A query asked of every server that may be storing batches."""
        found = (shard.first().select_each(statement, parameters) for shard in self._shards)
        return [table for tables in found for table in tables]

    def close(self) -> None:
        """Close all connections."""
        for servers in (self._local, self._sums):
            for server in servers.all:
                server.close()

    def _leader(self, shard: Choice[Replica], table: str) -> Replica:
        """The live replica that may change a table's parts; 18.16 asks it as the user `default`."""
        replica = shard.first()
        for other in (replica, *replica.others):
            try:
                if other.leads(table):
                    return other
            except StoreAway:
                continue
        return replica

    def _late(self) -> bool:
        """Whether some shard has only replicas that lack rows for long; remembered for a while."""
        now_s = time.monotonic()
        if now_s - self._looked_s >= LOOK_S:
            self._looked_s = now_s
            question = self.dialect.filled(query_text("replica_delay"))
            self._is_late = not all(_has_timely(shard, question) for shard in self._shards)
        return self._is_late


def shard_of(batch_id: str, shards: int) -> int:
    """Which of so many shards holds a batch, from 0."""
    return int.from_bytes(hashlib.sha256(batch_id.encode()).digest()[:8], "big") % shards


def _has_timely(shard: Choice[Replica], question: str) -> bool:
    for replica in shard.in_order():
        try:
            delay_s = replica.select(question, {})["delay_s"].to_pylist()[0]
        except StoreAway:
            continue
        if delay_s is not None and delay_s <= LATE_S:
            return True
    return False


def _make_databases(seed: Server, database: str, dialect: Dialect) -> None:
    """That of the tables and that of their sums; only if they are missing."""
    wanted = (f"{database}{LOCAL}", database)
    asked: dict[str, Parameter] = {"names": list(wanted), "name": database}
    rows = seed.select(query_text("cluster_databases"), asked).to_pylist()
    if any(row["table_name"] for row in rows):
        raise StoreError(
            f"The database {database} holds tables of one server alone: write another name for "
            "what the cluster holds."
        )
    for name in wanted:
        if name not in {row["name"] for row in rows}:
            seed.execute(dialect.filled(query_text("make_database")), {"name": name})
