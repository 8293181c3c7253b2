"""Starts a real uWSGI with the application of `targets/`, and sends it requests."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event, Thread

import httpx

from tests.agent.processes import CONTAINER, ROOT, until


@contextmanager
def uwsgi(
    folder: Path,
    *options: str,
    app: str = "uwsgi_app",
    processes: int = 1,
    seed: int = 0,
    within: tuple[str, ...] = (),
) -> Iterator[str]:
    """The address of a uWSGI that answers; its rings are in `folder`, its log in uwsgi.log.

    `within`: put before its command, such as nice.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with open(folder / "uwsgi.log", "wb") as log:
        process = subprocess.Popen(
            [
                *within, Path(sys.executable).parent / "uwsgi",
                "--http-socket", f"127.0.0.1:{port}",
                "--master", "--die-on-term", "--enable-threads", "--processes", str(processes),
                "--venv", sys.prefix, "--pythonpath", str(ROOT),
                "--module", f"tests.agent.targets.{app}", *options,
            ],
            stdout=log, stderr=log, env={**os.environ, **_environment(folder), "SEED": str(seed)},
        )  # fmt: skip
    url = f"http://127.0.0.1:{port}/"
    try:
        until(lambda: process.poll() is None and _answers(url))
        yield url
    finally:
        if within == CONTAINER:
            process.kill()  # it waits out SIGTERM; its child ends with it, and all beneath
        else:
            process.terminate()
        process.wait(20)


@contextmanager
def load(url: str, clients: int = 1) -> Iterator[list[str]]:
    """So many clients that each ask again as soon as they are answered; the answers so far."""
    stop = Event()
    answers: list[str] = []

    def ask() -> None:
        with httpx.Client() as client:
            while not stop.is_set():
                answers.append(client.get(url).text)

    with ExitStack() as ending:
        for _ in range(clients):
            thread = Thread(target=ask)
            thread.start()
            ending.callback(thread.join)
        ending.callback(stop.set)
        yield answers


def _environment(folder: Path) -> dict[str, str]:
    """For targets that write rings themselves, and for those that use the probe."""
    return {
        "RINGS": str(folder), "DYNOSCOPE_RING_DIR": str(folder), "DYNOSCOPE_SERVICE": "shop",
        "DYNOSCOPE_HOST": "web-1", "DYNOSCOPE_RELEASE": "r1",
    }  # fmt: skip


def _answers(url: str) -> bool:
    try:
        return httpx.get(url).is_success
    except httpx.TransportError:
        return False
