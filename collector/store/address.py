"""Where a ClickHouse server is, and as whom to ask it."""

import re
from dataclasses import dataclass, field, replace
from urllib.parse import unquote, urlsplit

from collector.store.errors import StoreError

__all__ = ["ServerAddress", "parse_address"]

FORM = "clickhouse://user:password@host:port/database"
CLUSTER_FORM = "clickhouse://user:password@host:port,host:port/database?cluster=NAME"
DEFAULT_PORT = 9000
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where a server is and who asks; the password is never shown.

    cluster: its name in the servers' configuration, "" for one server; others: further servers of
    it that may be asked where the rest is, if the first does not answer.
    """

    host: str
    port: int
    user: str
    database: str
    password: str = field(repr=False)
    cluster: str = ""
    others: tuple[tuple[str, int], ...] = ()

    def __str__(self) -> str:
        return f"{self.host}:{self.port}/{self.database}"

    def at(self, host: str, port: int, database: str) -> "ServerAddress":
        """Another server and database, asked by the same user."""
        return replace(self, host=host, port=port, database=database, cluster="", others=())


def parse_address(url: str) -> ServerAddress:
    """The parts of clickhouse://user:password@host:port/database, or of a cluster's address with
    several hosts and `?cluster=NAME`; raises StoreError."""
    try:
        parts = urlsplit(url)
        places = _places(parts.netloc.rpartition("@")[2])
    except ValueError:
        raise StoreError(f"The address of the ClickHouse server is broken: write {FORM}") from None
    database, cluster = parts.path.removeprefix("/") or "dynoscope", _cluster(parts.query)
    if parts.scheme != "clickhouse" or cluster is None or parts.fragment:
        raise StoreError(f"The address of the ClickHouse server is not of the form {FORM}")
    if not all(host for host, _ in places) or (len(places) > 1 and not cluster):
        form = CLUSTER_FORM if len(places) > 1 else FORM
        raise StoreError(f"The address of the ClickHouse server is not of the form {form}")
    if not NAME.fullmatch(database):
        raise StoreError(f"The database {database[:64]!r} is not a name of a-z A-Z 0-9 _")
    user, password = unquote(parts.username or "default"), unquote(parts.password or "")
    return ServerAddress(*places[0], user, database, password, cluster, tuple(places[1:]))


def _places(text: str) -> list[tuple[str, int]]:
    """Host and port of each place; raises ValueError."""
    found = [urlsplit(f"//{place}") for place in text.split(",")]
    return [(place.hostname or "", place.port or DEFAULT_PORT) for place in found]


def _cluster(query: str) -> str | None:
    """The name in `cluster=NAME`; "" where nothing is asked for, None for anything else."""
    if not query:
        return ""
    key, _, name = query.partition("=")
    return name if key == "cluster" and NAME.fullmatch(name) else None
