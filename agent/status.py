"""What the agent says of itself: status.json in the spool folder, and how it is shown."""

import json
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from agent.errors import AgentError

__all__ = ["read_status", "show_status", "write_status"]

NAME = "status.json"


def write_status(folder: Path, status: dict[str, Any]) -> None:
    """Replace status.json in one step. A full disk is no reason to stop: it is tried again."""
    part = folder / f"{NAME}.new"
    try:
        part.write_text(json.dumps(status, indent=1))
        part.rename(folder / NAME)
    except OSError:
        part.unlink(missing_ok=True)


def read_status(folder: Path) -> dict[str, Any]:
    """The newest status; raises AgentError where there is none."""
    path = folder / NAME
    try:
        status = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise AgentError(
            f"no status in {path}: start `dynoscope agent run`, or name its --spool"
        ) from error
    if not isinstance(status, dict):
        raise AgentError(f"{path} is not the status of an agent")
    return status


def show_status(status: dict[str, Any], now_ms: int, console: Console) -> None:
    """Print a status for people."""
    age_s = (now_ms - status["updated_ms"]) / 1000
    ship, spool, sampler = status["ship"], status["spool"], status["sampler"]
    console.print(
        f"agent {status['pid']} on {status['host']}, {age_s:.0f} s ago, to {status['url']}",
        markup=False,
    )
    console.print(
        f"sampler: {sampler['state']}, {sampler['cpu_share']:.2%} of a core of "
        f"{sampler['budget']:.2%}, {sampler['rate_hz']} Hz, windows of {sampler['window_s']} s",
        markup=False,
    )
    console.print(f"spool: {spool['files']} files, {spool['bytes']} bytes", markup=False)
    console.print(f"sending: {ship['state']}", markup=False)
    if status["last_error"]:
        console.print(f"last error: {status['last_error']}", markup=False)
    console.print(_workers(status["workers"], now_ms))
    for one in status["workers"]:
        if one["reason"]:
            console.print(f"pid {one['pid']}: {one['reason']}", markup=False)
    for name, reason in status["refused"].items():
        console.print(f"ring {name} refused: {reason}", markup=False)
    for what, count in status["limits"].items():
        console.print(f"{what}: {count}", markup=False)


def _workers(workers: list[dict[str, Any]], now_ms: int) -> Table:
    table = Table("service", "host", "pid", "worker", "release", "cost in", "read", "profiled")
    for one in workers:
        profiled = (
            f"{(now_ms - one['profiled_ms']) / 1000:.0f} s ago" if one["profiled_ms"] else "-"
        )
        names = (one["service"], one["host"], one["pid"], one["worker"], one["release"])
        rest = (one["unit"], one["seq"], profiled)
        table.add_row(*[_plain(value) for value in (*names, *rest)])
    return table


def _plain(value: object) -> str:
    """Text without rich's markup: names come from rings."""
    return str(value).replace("[", "\\[")
