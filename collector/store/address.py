"""Where a ClickHouse server is, and as whom to ask it."""

import re
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from collector.store.errors import StoreError

__all__ = ["ServerAddress", "parse_address"]

FORM = "clickhouse://user:password@host:port/database"
DEFAULT_PORT = 9000


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where a server is and who asks; the password is never shown."""

    host: str
    port: int
    user: str
    database: str
    password: str = field(repr=False)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}/{self.database}"


def parse_address(url: str) -> ServerAddress:
    """The parts of clickhouse://user:password@host:port/database; raises StoreError."""
    try:
        parts = urlsplit(url)
        port = parts.port or DEFAULT_PORT
    except ValueError:
        raise StoreError(f"The address of the ClickHouse server is broken: write {FORM}") from None
    database = parts.path.removeprefix("/") or "dynoscope"
    if parts.scheme != "clickhouse" or not parts.hostname or parts.query or parts.fragment:
        raise StoreError(f"The address of the ClickHouse server is not of the form {FORM}")
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,63}", database):
        raise StoreError(f"The database {database[:64]!r} is not a name of a-z A-Z 0-9 _")
    user, password = unquote(parts.username or "default"), unquote(parts.password or "")
    return ServerAddress(parts.hostname, port, user, database, password)
