"""Redis: what the viewers had to do with the authors."""

from pathlib import Path

from demo_stack.folders import account_for, server_folder
from demo_stack.processes import Launch
from demo_stack.servers.installed import installed
from demo_stack.servers.readiness import tcp_answers

__all__ = ["redis"]


def redis(home: Path, port: int) -> Launch:
    """A private Redis that keeps its data in `home`/redis when it is stopped."""
    account = account_for("redis")
    folder = server_folder(home, "redis", account)
    settings = {"bind": "127.0.0.1", "port": str(port), "dir": str(folder), "save": "3600 1"}
    return Launch(
        name="redis",
        argv=[
            installed("redis-server"),
            *(part for name, value in settings.items() for part in (f"--{name}", value)),
        ],
        missing=lambda: tcp_answers(port, b"PING\r\n", b"+PONG"),
        port=port,
        cwd=folder,
        account=account,
    )
