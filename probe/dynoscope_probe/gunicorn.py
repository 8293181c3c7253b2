"""gunicorn: `-c python:dynoscope_probe.gunicorn`, or this module's hook in one's own config file.

from dynoscope_probe.gunicorn import post_worker_init
"""

from __future__ import annotations

from typing import Any

from dynoscope_probe import guard
from dynoscope_probe.middleware import wsgi

__all__ = ["post_worker_init"]

#: gunicorn's number of this worker: it counts the workers that it ever started.
worker_age = 0


def post_worker_init(worker: Any) -> None:
    """Wrap the application that the worker has loaded."""
    global worker_age
    try:
        worker_age = int(worker.age)
        worker.wsgi = wsgi(worker.wsgi)
    except Exception:
        guard.swallowed()
