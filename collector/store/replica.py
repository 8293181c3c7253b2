"""One replica of a shard: it may lack, for a moment or for long, what another one has stored."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from collector.store.engine import Parameter
from collector.store.errors import StoreAway, StoreError
from collector.store.server import Server
from collector.store.texts import query_text

__all__ = ["Replica"]

#: How long to wait for rows of another replica; how often to look.
SETTLE_S = 2.0
LOOK_S = 0.02


class Replica(Server):
    """A server's own tables. `others`: the other replicas of its shard."""

    others: Sequence["Replica"] = ()

    def settle(self, tables: Sequence[str]) -> None:
        """See `engine.Engine`: all that was in the shard's log when this was called is here."""
        last_s = time.monotonic() + SETTLE_S
        states = self._states(tables)
        if any(row["is_shut"] for row in states):
            raise StoreError(f"The replica {self} has no ZooKeeper: send the batch again later.")
        wanted = {row["table"]: row["log_max_index"] for row in states}
        while not all(self._has(row, wanted[row["table"]]) for row in self._states(tables)):
            if time.monotonic() > last_s:
                raise StoreError(
                    f"The replica {self} lacks rows that another one has and does not hand on: "
                    "send the batch again later."
                )
            time.sleep(LOOK_S)

    def select_each(
        self, statement: str, parameters: Mapping[str, Parameter]
    ) -> Sequence[pa.Table]:
        """See `engine.Engine`. Who has lost its session with ZooKeeper can store nothing more."""
        answers = [self.select(statement, parameters)]
        for other in self.others:
            try:
                answers.append(other.select(statement, parameters))
            except StoreAway:
                continue
        if len(answers) <= len(self.others):
            alive = max(row["active_replicas"] for row in self._states(("requests",)))
            if alive > len(answers):
                raise StoreError(
                    f"Another replica of {self} does not answer, but is not known to have ended: "
                    "send the batch again later."
                )
        return answers

    def leads(self, table: str) -> bool:
        """Whether it is the one that decides on this table's parts; newer servers all are."""
        question = self.dialect.filled(query_text("replica_leads"))
        found = self.select(question, {"table": table}).to_pylist()
        return any(row["is_leader"] for row in found)

    def _has(self, row: Mapping[str, Any], wanted: int) -> bool:
        """Whether a table has all that the log tells up to `wanted`."""
        if row["is_shut"]:
            return False
        is_read = row["log_pointer"] > wanted
        if not is_read and row["log_max_index"] == 0:  # one entry, or nothing was ever stored
            is_read = self._asked("replica_log", path=f"{row['zookeeper_path']}/log")[0]["n"] == 0
        queue = f"{row['replica_path']}/queue"
        return is_read and not self._lacks(queue, row["replica_name"])

    def _lacks(self, queue: str, replica: str) -> int:
        """How many parts it has not fetched yet."""
        return int(self._asked("replica_lacks", path=queue, replica=replica)[0]["n"])

    def _states(self, tables: Sequence[str]) -> list[dict[str, Any]]:
        return self._asked("replica_state", tables=list(tables))

    def _asked(self, name: str, **asked: Parameter) -> list[dict[str, Any]]:
        question = self.dialect.filled(query_text(name))
        rows: list[dict[str, Any]] = self.select(question, asked).to_pylist()
        return rows
