"""Takes stacks of live workers: one small interface, and py-spy behind it."""

import os
import re
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from agent import inside
from agent.stacks import RawStack, parse_raw

__all__ = ["PySpy", "Sampler", "Target", "Window", "py_spy_binary"]

_SUMMARY = re.compile(r"Samples: (\d+) Errors: (\d+)")
_BEHIND = re.compile(r"([\d.]+)(ns|µs|us|ms|s) behind")
_UNIT_NS = {"ns": 1, "µs": 1_000, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000}
_REASON_CHARACTERS_MAX = 200
END_WITHIN_S = 1.0


@dataclass(frozen=True, slots=True)
class Target:
    """A process to take stacks of. `inner_pid`: its pid in its own pid namespace, 0 if in ours."""

    pid: int
    inner_pid: int = 0


@dataclass(frozen=True, slots=True)
class Window:
    """One worker, looked at for a while.

    `ticks`: how often its stacks were read; `errors`: how often that failed (not in `ticks`);
    `late_ns`: how far the sampler fell behind at worst; `failure`: why there is nothing, or "".
    A window that was stopped has no ticks and no failure.
    """

    pid: int
    duration_ns: int
    ticks: int
    errors: int
    late_ns: int
    stacks: tuple[RawStack, ...]
    failure: str = ""


class Sampler(Protocol):
    """What takes stacks. Never raises for what a worker or the host does: it says `failure`."""

    def sample(self, targets: Sequence[Target], duration_s: int, rate_hz: int) -> list[Window]:
        """On-CPU stacks of each worker, all at the same time; one window each, in order."""

    def stop(self) -> None:
        """End what `sample` is doing in another thread."""


def py_spy_binary() -> str:
    """The py-spy next to this interpreter, else the one of PATH."""
    beside = Path(sys.executable).parent / "py-spy"
    return str(beside) if beside.exists() else "py-spy"


class PySpy:
    """`py-spy record` for each worker, without stopping it.

    On CPU is a thread whose state in /proc is R, which is also one that waits for a core: right
    after a wait has ended for some 60 us on a host of two cores, longer on a busy one. So a
    function shows as more by that for each of its waits.
    """

    def __init__(self, binary: str, grace_s: float = 5.0) -> None:
        self._binary = binary
        self._grace_s = grace_s
        self._running: list[subprocess.Popen[bytes]] = []
        self._stopped = False

    def sample(self, targets: Sequence[Target], duration_s: int, rate_hz: int) -> list[Window]:
        """See `Sampler.sample`. py-spy spreads its ticks at random (exponential intervals)."""
        with tempfile.TemporaryDirectory(prefix="dynoscope-") as folder:
            started = [self._start(one, Path(folder), duration_s, rate_hz) for one in targets]
            deadline = time.monotonic() + 2 * duration_s + self._grace_s
            windows = [
                self._finish(one, begun, Path(folder), duration_s * rate_hz, deadline)
                for one, begun in zip(targets, started, strict=True)
            ]
        self._running = []
        return windows

    def stop(self) -> None:
        """Kill the py-spy processes that run; `sample` returns at once."""
        self._stopped = True
        for process in list(self._running):
            _kill(process)

    def _start(
        self, target: Target, folder: Path, duration_s: int, rate_hz: int
    ) -> tuple[subprocess.Popen[bytes], int] | str:
        """The process and when it began (monotonic, ns), or why there is none."""
        pid = target.pid
        command = [self._binary, "record", "--pid", str(target.inner_pid or pid)]
        command += ["--nonblocking", "--threads"]
        command += ["--full-filenames", "--format", "raw", "--output", str(folder / f"{pid}.raw")]
        command += ["--rate", str(rate_hz), "--duration", str(duration_s)]
        if target.inner_pid:
            command = inside.within(pid) + command
        try:
            with open(folder / f"{pid}.log", "wb") as log:
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env={**os.environ, "RUST_BACKTRACE": "0"},
                )
        except OSError as error:
            return f"py-spy does not start ({command[0]}): {error.strerror}"
        self._running.append(process)
        if self._stopped:
            _kill(process)
        return process, time.monotonic_ns()

    def _finish(
        self,
        target: Target,
        begun: tuple[subprocess.Popen[bytes], int] | str,
        folder: Path,
        ticks_planned: int,
        deadline: float,
    ) -> Window:
        pid = target.pid
        if isinstance(begun, str):
            return _failed(pid, begun)
        process, started_ns = begun
        if not _ended(process, deadline - time.monotonic()):
            _kill(process)
            process.wait()
            return _failed(pid, "py-spy hung and was ended")
        status = process.wait()
        log = (folder / f"{pid}.log").read_text("utf-8", "replace")
        summary = _SUMMARY.search(log)
        if self._stopped:
            return _failed(pid, "")
        if status != 0 or summary is None:
            return _failed(pid, _reason(log, status))
        duration_ns = time.monotonic_ns() - started_ns
        stacks, unread = parse_raw((folder / f"{pid}.raw").read_text("utf-8", "replace"))
        ticks = ticks_planned if "process exited" not in log else int(summary[1]) + int(summary[2])
        errors = int(summary[2]) + unread
        return Window(
            pid, duration_ns, max(0, ticks - errors), errors, _late_ns(log), tuple(stacks)
        )


def _ended(process: "subprocess.Popen[bytes]", seconds: float) -> bool:
    """Whether it ends within so long; unlike `wait` with a time this does not look every 50 ms."""
    try:
        descriptor = os.pidfd_open(process.pid)
    except OSError:  # it has been waited for
        return process.poll() is not None
    try:
        poller = select.poll()
        poller.register(descriptor, select.POLLIN)
        return bool(poller.poll(1000 * max(0.0, seconds)))
    finally:
        os.close(descriptor)


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """End py-spy; a prefix before it waits for it, and then ends by itself."""
    if process.poll() is None and inside.end(process.pid):
        with suppress(subprocess.TimeoutExpired):
            process.wait(END_WITHIN_S)
    process.kill()


def _failed(pid: int, reason: str) -> Window:
    return Window(pid, 0, 0, 0, 0, (), reason)


def _reason(log: str, status: int) -> str:
    """The first line of what py-spy said, with its root cause."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    said = [line for line in lines if line.startswith(("Error", "Permission", "Reason"))]
    text = said[0] if said else (lines[-1] if lines else "no output")
    return f"py-spy ended with {status}: {text}"[:_REASON_CHARACTERS_MAX]


def _late_ns(log: str) -> int:
    found = [float(number) * _UNIT_NS[unit] for number, unit in _BEHIND.findall(log)]
    return int(max(found, default=0))
