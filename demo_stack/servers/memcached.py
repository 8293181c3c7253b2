"""Memcached: the service's cache."""

from pathlib import Path

from demo_stack.folders import account_for
from demo_stack.processes import Launch
from demo_stack.servers.installed import installed
from demo_stack.servers.readiness import tcp_answers

__all__ = ["memcached"]


def memcached(home: Path, port: int) -> Launch:
    """A private Memcached of 64 MB."""
    return Launch(
        name="memcached",
        argv=[installed("memcached"), "-l", "127.0.0.1", "-p", str(port), "-U", "0", "-m", "64"],
        missing=lambda: tcp_answers(port, b"version\r\n", b"VERSION"),
        port=port,
        account=account_for("memcache"),
    )
