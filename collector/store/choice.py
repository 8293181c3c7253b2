"""Servers of which any will do: the first that answers is taken."""

import time
from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

import pyarrow as pa

from collector.store.engine import Parameter
from collector.store.errors import StoreAway
from collector.store.server import Server

__all__ = ["Choice"]

#: A server that did not answer is asked after all others for so long.
AWAY_S = 30.0
S = TypeVar("S", bound=Server)


class Choice(Generic[S]):
    """Always the same one, while it answers. Safe to use from many threads."""

    def __init__(self, servers: Sequence[S], what: str, ready: str) -> None:
        """what: what they make up, for errors. ready: a query that every server answers that will
        do; if its first column is called is_shut, with 0."""
        self.all = tuple(servers)
        self._what = what
        self._ready = ready
        self._away_s: dict[S, float] = {}  # since when, on the monotonic clock

    def first(self) -> S:
        """One that answers now. Raises StoreAway."""
        for server in self.in_order():
            try:
                row = server.select(self._ready, {}).to_pylist()[0]
            except StoreAway:
                self._away_s[server] = time.monotonic()
                continue
            if not row.get("is_shut"):
                self._away_s.pop(server, None)
                return server
            self._away_s[server] = time.monotonic()
        raise self._nobody()

    def select(self, statement: str, parameters: Mapping[str, Parameter]) -> pa.Table:
        """The answer of the first that gives one. Raises StoreAway."""
        for server in self.in_order():
            try:
                found = server.select(statement, parameters)
            except StoreAway:
                self._away_s[server] = time.monotonic()
                continue
            self._away_s.pop(server, None)
            return found
        raise self._nobody()

    def in_order(self) -> list[S]:
        """All of them, those last that were away a moment ago."""
        now_s = time.monotonic()
        return sorted(self.all, key=lambda one: now_s - self._away_s.get(one, -AWAY_S) < AWAY_S)

    def _nobody(self) -> StoreAway:
        places = ", ".join(map(str, self.all))
        return StoreAway(f"No server of {self._what} answers ({places}): start one, or ask later.")
