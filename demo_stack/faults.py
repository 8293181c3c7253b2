"""Faults that the operator can cause and mend."""

from pathlib import Path

from demo_stack.servers.postgres import superuser

__all__ = ["cause_slow_query", "mend_slow_query"]

SLOW = Path(__file__).parent / "sql" / "slow_feed_candidates.sql"
AS_RELEASED = Path(__file__).parent / "service" / "sql" / "feed_candidates.sql"


def cause_slow_query(home: Path, port: int) -> None:
    """From now on PostgreSQL is slow with the feed of every sixth viewer."""
    _define(home, port, SLOW)


def mend_slow_query(home: Path, port: int) -> None:
    """PostgreSQL answers as before."""
    _define(home, port, AS_RELEASED)


def _define(home: Path, port: int, source: Path) -> None:
    with superuser(home, port) as connection:
        connection.execute(source.read_bytes())
