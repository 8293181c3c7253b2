"""Deploying a release: recorded, then rolled out host by host under load."""

import time
from collections.abc import Callable
from pathlib import Path

import httpx

from demo_stack.processes import DemoError
from demo_stack.releases import PACKAGE, build_release
from demo_stack.stack import Stack

__all__ = ["deploy"]


def deploy(
    stack: Stack, release: str, patch: Path | None, pause: Callable[[], None] | None = None
) -> int:
    """Bring every worker to `release`; returns when the roll-out began, epoch ms.

    `pause` is called while only the first host runs it.
    """
    previous = stack.state.releases[stack.hosts[0]]
    if release == previous:
        raise DemoError(f"release {release} runs already")
    folder = build_release(stack.home, release, patch)
    begun_ms = time.time_ns() // 1_000_000
    if "serve" in stack.running():
        _record(stack, release, previous, begun_ms)
    stack.deploy(release, folder, pause)
    return begun_ms


def _record(stack: Stack, release: str, previous: str, begun_ms: int) -> None:
    token = (stack.home / "data" / "ingest.token").read_text().strip()
    change = {
        "kind": "deploy",
        "service": PACKAGE,
        "release": release,
        "previous": previous,
        "note": "rolling restart, host by host",
        "ts_ms": begun_ms,
    }
    try:
        response = httpx.post(
            f"{stack.serve_url()}/v1/changes",
            json=change,
            headers={"Authorization": f"Bearer {token}"},
            timeout=10,
        )
    except httpx.HTTPError as error:
        raise DemoError(f"the deploy could not be recorded: {error}") from error
    if response.status_code != 201:
        raise DemoError(
            f"the deploy could not be recorded: {response.status_code} {response.text[:200]}"
        )
