"""Celery: the worker that makes thumbnails."""

import sys
from collections.abc import Mapping
from pathlib import Path

from celery import Celery
from kombu.exceptions import OperationalError

from demo_stack.processes import Launch

__all__ = ["celery"]

PING_S = 3.0


def celery(name: str, broker_url: str, release: Path, env: Mapping[str, str]) -> Launch:
    """A prefork worker with one process, running the release in this folder."""
    node = f"{name}@localhost"
    return Launch(
        name=name,
        argv=[
            sys.executable, "-m", "celery", "-A", "photos.celery_app:app", "worker",
            "--hostname", node, "--concurrency", "1", "--pool", "prefork",
            "--loglevel", "INFO", "--without-gossip", "--without-mingle",
        ],
        missing=lambda: _missing(broker_url, node),
        env=env,
        cwd=release,
        stop_s=30,
    )  # fmt: skip


def _missing(broker_url: str, node: str) -> str | None:
    with Celery(broker=broker_url) as app:
        try:
            answers = app.control.ping(destination=[node], timeout=PING_S)
        except (OperationalError, OSError) as error:
            return f"the broker does not answer ({error})"
    return None if answers else f"{node} does not answer a ping"
