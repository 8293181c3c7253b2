"""Facts of the way out: the collector's answers, the spool's state."""

import os
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx

from agent.doctor.facts import Collector, Folder, Spool
from agent.errors import AgentError
from agent.status import read_status

__all__ = ["look_at_collector", "look_at_spool"]

TIMEOUT_S = 5.0


def look_at_collector(url: str, token_file: Path | None, wall_s: Callable[[], float]) -> Collector:
    """Is it ready, what time has it, does it take the token?"""
    name, token, token_error = str(token_file or ""), "", ""
    if token_file is not None:
        try:
            token = token_file.read_text().strip()
        except OSError as error:
            token_error = (error.strerror or "cannot be read").lower()
    url = url.rstrip("/")
    try:
        with httpx.Client(timeout=TIMEOUT_S) as client:
            ready = client.get(f"{url}/readyz")
            ahead_s = _ahead_s(ready, wall_s())
            status = 0 if token_error else _try_token(client, url, token)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        reason = str(error) or type(error).__name__
        return Collector(url, reason, 0, None, name, token_error, 0)
    return Collector(url, "", ready.status_code, ahead_s, name, token_error, status)


def _try_token(client: httpx.Client, url: str, token: str) -> int:
    """What it says to a sending for no table, which it refuses once it has taken the token."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return client.put(f"{url}/v1/batches/doctor", headers=headers).status_code


def _ahead_s(answer: httpx.Response, now_s: float) -> float | None:
    """Our clock less that of the Date header, which tells whole seconds: its middle is taken."""
    try:
        theirs_s = parsedate_to_datetime(answer.headers["Date"]).timestamp()
    except (KeyError, ValueError):
        return None
    return now_s - theirs_s - 0.5


def look_at_spool(path: Path, folder: Folder, proc_root: Path, now_s: float) -> Spool:
    """What the agent of a spool folder last said of itself."""
    try:
        status: dict[str, Any] = read_status(path)
        pid, spool = int(status["pid"]), status["spool"]
        return Spool(
            folder=folder,
            agent_pid=pid,
            agent_lives=(proc_root / str(pid)).exists() and status["state"] == "running",
            silent_s=max(0.0, now_s - status["updated_ms"] / 1000),
            waiting_files=int(spool["files"]),
            waiting_bytes=int(spool["bytes"]),
            oldest_s=float(spool["oldest_s"]),
            rejected=_rejected(path),
            last_error=str(status["last_error"]),
        )
    except (AgentError, KeyError, TypeError, ValueError):
        return Spool(folder, 0, False, 0.0, 0, 0, 0.0, 0, "")


def _rejected(path: Path) -> int:
    try:
        return sum(name.endswith(".arrow") for name in os.listdir(path / "rejected"))
    except OSError:
        return 0
