"""What the application needs beside itself, such as a database: a command that runs meanwhile."""

import os
import re
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue

from alerting.gate.errors import GateError

__all__ = ["READY", "running_services"]

READY = "ready"
STOP_S = 30
_SETTING = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)")


@contextmanager
def running_services(command: str, folder: Path, timeout_s: int) -> Iterator[dict[str, str]]:
    """Run it in `folder` while inside; what it prints as NAME=value before `ready` are settings."""
    if not command:
        yield {}
        return
    path = f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}"
    try:
        process = subprocess.Popen(
            shlex.split(command), cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            env={**os.environ, "PATH": path}, text=True,
        )  # fmt: skip
    except OSError as error:
        raise GateError(f"services = {command!r} cannot be started: {error.strerror}") from error
    try:
        yield _settings(process, command, timeout_s)
    finally:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _settings(process: subprocess.Popen[str], command: str, timeout_s: int) -> dict[str, str]:
    lines: Queue[str | None] = Queue()
    threading.Thread(target=_read, args=(process, lines), daemon=True).start()
    settings: dict[str, str] = {}
    while True:
        try:
            line = lines.get(timeout=timeout_s)
        except Empty as error:
            raise GateError(f"services = {command!r} said no {READY!r} in {timeout_s} s") from error
        if line is None:
            raise GateError(
                f"services = {command!r} ended (status {process.wait()}), not {READY!r}"
            )
        if line == READY:
            return settings
        if found := _SETTING.fullmatch(line):
            settings[found[1]] = found[2]


def _read(process: subprocess.Popen[str], lines: "Queue[str | None]") -> None:
    """Each line; then None. What comes after `ready` is read, so that it never blocks."""
    if process.stdout is not None:
        for line in process.stdout:
            lines.put(line.strip())
    lines.put(None)
