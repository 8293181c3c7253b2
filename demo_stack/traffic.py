"""The load as a managed process, and what it has written so far."""

import json
import sys
from pathlib import Path
from typing import Any

from demo_stack.processes import DemoError, Launch

__all__ = ["RATE_RPS", "read_summary", "requests_sent", "traffic"]

#: Keeps two cores well under 70% with everything else that runs, and four workers busy enough.
RATE_RPS = 40.0


def traffic(
    home: Path,
    url: str,
    seed: int,
    rate_rps: float,
    seconds: float,
    to_rps: float | None = None,
    limit_ms: float = 500.0,
) -> Launch:
    """The load; it ends by itself after `seconds`, or on SIGTERM. `to_rps`: its rate at the end,
    and then the summary says at which rate P99 left `limit_ms`."""
    rising = ["--to", str(to_rps), "--limit-ms", str(limit_ms)] if to_rps else []
    out = load_folder(home)
    for name in ("requests.jsonl", "summary.json"):
        (out / name).unlink(missing_ok=True)
    return Launch(
        name="load",
        argv=[
            sys.executable, "-m", "demo_stack.load", "--url", url, "--seed", str(seed),
            "--rate", str(rate_rps), "--seconds", str(seconds), "--out", str(out), *rising,
        ],
        missing=lambda: None if requests_sent(home) else "no request has been answered",
        stop_s=45,
    )  # fmt: skip


def requests_sent(home: Path) -> int:
    """Requests answered so far."""
    path = load_folder(home) / "requests.jsonl"
    if not path.exists():
        return 0
    with path.open("rb") as lines:
        return sum(1 for _ in lines)


def read_summary(home: Path) -> dict[str, Any]:
    """What the load wrote when it ended."""
    path = load_folder(home) / "summary.json"
    if not path.exists():
        raise DemoError(f"the load ended without a summary; see {home / 'logs' / 'load.log'}")
    summary: dict[str, Any] = json.loads(path.read_text())
    return summary


def load_folder(home: Path) -> Path:
    """Where the load writes."""
    return home / "load"
