"""Where a ClickHouse server is, and as whom to ask it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl, unquote, urlsplit

from collector.store.errors import StoreError

__all__ = ["ServerAddress", "parse_address"]

FORM = "clickhouse://user:password@host:port/database"
CLUSTER_FORM = "clickhouse://user:password@host:port,host:port/database?cluster=NAME"
TLS_FORM = "clickhouses://user:password@host:port/database?ca=FILE"
#: Scheme -> default port; the second speaks TLS.
PORTS = {"clickhouse": 9000, "clickhouses": 9440}
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where a server is and who asks; the password is never shown.

    cluster: its name in the servers' configuration, "" for one server; others: further servers of
    it that may be asked where the rest is, if the first does not answer; secure: over TLS, with the
    server's certificate checked against the authorities in the file `ca` ("": those known here).
    """

    host: str
    port: int
    user: str
    database: str
    password: str = field(repr=False)
    cluster: str = ""
    others: tuple[tuple[str, int], ...] = ()
    secure: bool = False
    ca: str = ""

    def __str__(self) -> str:
        return f"{self.host}:{self.port}/{self.database}"

    def at(self, host: str, port: int, database: str) -> "ServerAddress":
        """Another server and database, asked by the same user."""
        return replace(self, host=host, port=port, database=database, cluster="", others=())


def parse_address(url: str) -> ServerAddress:
    """The parts of clickhouse://user:password@host:port/database, or of a cluster's address with
    several hosts and `?cluster=NAME`; `clickhouses` speaks TLS, and may name `ca=FILE`. Raises
    StoreError."""
    try:
        one_host, further = _first_host(url)
        parts = urlsplit(one_host)
        secure = parts.scheme == "clickhouses"
        hosts = [parts.netloc.rpartition("@")[2], *further]
        places = _places(hosts, PORTS.get(parts.scheme, 0))
        cluster, ca = _options(parts.query)
    except ValueError:
        raise StoreError(f"The address of the ClickHouse server is broken: write {FORM}") from None
    database = parts.path.removeprefix("/") or "dynoscope"
    if parts.scheme not in PORTS or parts.fragment:
        raise StoreError(f"The address of the ClickHouse server is not of the form {FORM}")
    if ca and not secure:
        raise StoreError(f"The address of the ClickHouse server is not of the form {TLS_FORM}")
    if not all(host for host, _ in places) or (len(places) > 1 and not cluster):
        form = CLUSTER_FORM if len(places) > 1 else FORM
        raise StoreError(f"The address of the ClickHouse server is not of the form {form}")
    if not NAME.fullmatch(database):
        raise StoreError(f"The database {database[:64]!r} is not a name of a-z A-Z 0-9 _")
    user, password = unquote(parts.username or "default"), unquote(parts.password or "")
    others = tuple(places[1:])
    return ServerAddress(*places[0], user, database, password, cluster, others, secure, ca)


def _first_host(url: str) -> tuple[str, list[str]]:
    """The URL with its first host only, since URLs have one, and the others."""
    scheme, mark, rest = url.partition("://")
    before = re.match("[^/?#]*", rest)
    netloc = before[0] if before else ""
    user, at, hosts = netloc.rpartition("@")
    first, *further = hosts.split(",")
    return f"{scheme}{mark}{user}{at}{first}{rest[len(netloc) :]}", further


def _places(hosts: Sequence[str], default_port: int) -> list[tuple[str, int]]:
    """Host and port of each place; raises ValueError."""
    found = [urlsplit(f"//{host}") for host in hosts]
    return [(place.hostname or "", place.port or default_port) for place in found]


def _options(query: str) -> tuple[str, str]:
    """What `cluster=NAME&ca=FILE` says, "" for what is not there; raises ValueError."""
    pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True) if query else []
    found = dict(pairs)
    cluster, ca = found.get("cluster"), found.get("ca")
    if len(found) < len(pairs) or not found.keys() <= {"cluster", "ca"} or ca == "":
        raise ValueError("an option that is not known, or twice, or empty")
    if cluster is not None and not NAME.fullmatch(cluster):
        raise ValueError("not the name of a cluster")
    return cluster or "", ca or ""
