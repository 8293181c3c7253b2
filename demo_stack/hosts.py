"""The service's hosts, and where each keeps its rings."""

import os
from pathlib import Path

from demo_stack.folders import ring_root
from demo_stack.processes import DemoError

__all__ = ["HOSTS", "JOBS", "host_of", "ring_dir"]

#: host -> region
HOSTS = {"web-1": "us-east", "web-2": "eu-west"}
#: The Celery worker. It lives on the first host, whose agent reads its ring.
JOBS = "jobs"


def host_of(worker: str) -> str:
    """The host that a worker of the service runs on."""
    return next(iter(HOSTS)) if worker == JOBS else worker


def ring_dir(home: Path, host: str) -> Path:
    """The host's own folder for rings, made if need be."""
    root = ring_root(home)
    root.mkdir(mode=0o700, exist_ok=True)
    if root.is_symlink() or root.stat().st_uid != os.geteuid():
        raise DemoError(f"{root} belongs to somebody else: use another --home")
    folder = root / host
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder
