"""Starts target programs and waits until they are ready."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

TARGETS = Path(__file__).parent / "targets"
ROOT = Path(__file__).parents[2]
#: A pid namespace of its own, with its own /proc, as a container has; ends with its first process.
CONTAINER = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")


@contextmanager
def target(
    name: str, *arguments: str, within: tuple[str, ...] = ()
) -> Iterator[subprocess.Popen[str]]:
    """A target program that has printed `ready`; killed at the end. `within`: put before it."""
    process = subprocess.Popen(
        [*within, sys.executable, "-m", f"tests.agent.targets.{name}", *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def end_container(process: subprocess.Popen[str]) -> None:
    """Kill what runs in a CONTAINER, and wait until it has ended."""
    (child,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.kill(int(child), signal.SIGKILL)
    process.wait()


def ask(process: subprocess.Popen[str], line: str) -> str:
    """Send one line to a target and read its answer."""
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(line + "\n")
    process.stdin.flush()
    return process.stdout.readline().strip()


def until(condition: Callable[[], object], seconds: float = 30.0) -> None:
    """Poll until the condition holds; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
