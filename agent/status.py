"""What the agent says of itself: status.json in the spool folder, and how it is shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.errors import AgentError

if TYPE_CHECKING:  # the agent writes its status without what shows it
    from rich.console import Console
    from rich.table import Table

__all__ = ["read_status", "show_status", "write_status"]

NAME = "status.json"


def write_status(folder: Path, status: dict[str, Any]) -> None:
    """Replace status.json in one step. A full disk is no reason to stop: it is tried again."""
    part = folder / f"{NAME}.new"
    try:
        part.write_text(json.dumps(status))
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
    for failure in status["failures"].values():
        console.print(failure, markup=False)
    for name, reason in status["refused"].items():
        console.print(f"ring {name} refused: {reason}", markup=False)
    for what, count in status["limits"].items():
        console.print(f"{what}: {count}", markup=False)


def _workers(workers: list[dict[str, Any]], now_ms: int) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    names = ("service", "host", "pid", "worker", "release", "python", "cost in", "read")
    table = Table(*names, "idle", "stacks", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for one in workers:
        known = (one["service"], one["host"], one["pid"] or "?", one["worker"], one["release"])
        idle = f"{one['idle_s']:.0f} s" if one["idle_s"] >= 0 else "-"
        values = (
            *known,
            one["runtime"].rpartition(" ")[2],
            one["unit"],
            one["seq"],
            idle,
            _stacks(one, now_ms),
        )
        table.add_row(*[_plain(value) for value in values])
    return table


def _stacks(worker: dict[str, Any], now_ms: int) -> str:
    """When stacks were taken last, or what is in the way."""
    if not worker["permission"]:
        return "refused"
    if worker["thread_ids"] == "wrong":
        return "wrong ids"
    if not worker["profiled_ms"]:
        return "-"
    return f"{(now_ms - worker['profiled_ms']) / 1000:.0f} s ago"


def _plain(value: object) -> str:
    """Text without rich's markup: names come from rings."""
    return str(value).replace("[", "\\[")
