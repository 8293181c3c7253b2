"""Process groups of a loaded host, each stopped while it is another's turn."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.overhead.servers import PEERS_DIR, ROOT, BenchError, free_port

__all__ = ["Group", "Host", "agent", "host", "py_spy_record", "samples_so_far"]

WORKERS = 8
START_S = 60.0
_PROBE = ("--py-call-osafterfork", "--import", "dynoscope_probe.uwsgi")


@dataclass(frozen=True, slots=True)
class Group:
    """A process and all below it, started in a group of its own."""

    process: subprocess.Popen[bytes]

    def stop(self) -> None:
        os.killpg(self.process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        os.killpg(self.process.pid, signal.SIGCONT)

    def cpu_s(self) -> float:
        """User and system time of all its processes so far, ended children included."""
        return sum(
            float(times.user + times.system + times.children_user + times.children_system)
            for times in self._each(psutil.Process.cpu_times)
        )

    def rss_bytes(self) -> int:
        return sum(int(memory.rss) for memory in self._each(psutil.Process.memory_info))

    def children(self) -> int:
        """How many processes it has started that are there."""
        return len(psutil.Process(self.process.pid).children())

    def end(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def _each(self, ask: Callable[[psutil.Process], Any]) -> Iterator[Any]:
        root = psutil.Process(self.process.pid)
        for process in [root, *root.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                yield ask(process)


@dataclass(frozen=True, slots=True)
class Host:
    """A uWSGI with eight workers."""

    name: str
    group: Group
    port: int
    rings: Path


@contextmanager
def host(name: str, folder: Path, loops: int, sink: str, peer: str = "") -> Iterator[Host]:
    """One that answers, with the probe in its workers; `peer`: whose package is there, too."""
    port, rings = free_port(), folder / name / "rings"
    rings.mkdir(parents=True, mode=0o700)
    module = f"benchmarks.overhead.with_{peer}" if peer else "benchmarks.overhead.bare"
    path = [str(ROOT)]
    if peer:
        path.insert(0, str(PEERS_DIR / peer))
        if not (PEERS_DIR / peer / ".installed").exists():
            raise BenchError(f"{peer} is not installed in {path[0]}: run 'make bench-setup' first")
    command = [
        str(Path(sys.executable).parent / "uwsgi"), "--http-socket", f"127.0.0.1:{port}",
        "--master", "--processes", str(WORKERS), "--enable-threads", "--single-interpreter",
        "--need-app", "--disable-logging", "--die-on-term", *_PROBE,
        "--module", f"{module}:application",
    ]  # fmt: skip
    environ = {
        "PYTHONPATH": os.pathsep.join(path), "BENCH_LOOPS": str(loops), "BENCH_SINK": sink,
        "DYNOSCOPE_RING_DIR": str(rings), "DYNOSCOPE_SERVICE": "bench",
    }  # fmt: skip
    with started(command, folder / f"{name}.log", environ) as group:
        _wait(f"http://127.0.0.1:{port}/trivial/", group, folder / f"{name}.log")
        yield Host(name, group, port, rings)


@contextmanager
def agent(watched: Host, folder: Path, sink: str) -> Iterator[tuple[Group, int]]:
    """(the agent of a host with its default budget, the port of its /metrics)."""
    port = free_port()
    command = [
        sys.executable, "-m", "dynoscope", "agent", "run", "--ring-dir", str(watched.rings),
        "--spool", str(folder / "spool"), "--url", sink, "--statsd-port", "0",
        "--metrics-port", str(port),
    ]  # fmt: skip
    with started(command, folder / "agent.log", {}) as group:
        _wait(f"http://127.0.0.1:{port}/metrics", group, folder / "agent.log")
        yield group, port


@contextmanager
def py_spy_record(watched: Host, folder: Path) -> Iterator[Group]:
    """py-spy alone, as one starts it by hand: 100 Hz, all workers, until the end of the body."""
    command = [
        str(Path(sys.executable).parent / "py-spy"), "record", "--pid",
        str(watched.group.process.pid), "--subprocesses", "--rate", "100", "--format", "raw",
        "--output", str(folder / "py-spy.raw"), "--duration", "3600",
    ]  # fmt: skip
    log = folder / "py-spy.log"
    log.unlink(missing_ok=True)
    with started(command, log, {"PYTHONUNBUFFERED": "1"}) as group:
        end = time.monotonic() + START_S
        while "Sampling process" not in log.read_text(errors="replace"):
            if time.monotonic() > end or group.process.poll() is not None:
                raise BenchError(f"py-spy did not start; the end of its log:\n{_tail(log)}")
            time.sleep(0.02)
        yield group


def samples_so_far(port: int) -> float:
    """On-CPU stack samples that an agent has taken."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        for line in answer.read().decode().splitlines():
            if line.startswith("dynoscope_agent_samples_total "):
                return float(line.split()[1])
    raise BenchError("the agent's /metrics has no number of samples")


@contextmanager
def started(command: list[str], log: Path, environ: dict[str, str]) -> Iterator[Group]:
    """A command in a process group of its own, killed at the end."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DYNOSCOPE_", "UWSGI_"))}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env={**kept, **environ}, stdout=output, stderr=output, cwd=ROOT,
            start_new_session=True,
        )  # fmt: skip
    group = Group(process)
    try:
        yield group
    finally:
        group.end()


def _wait(url: str, group: Group, log: Path) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end and group.process.poll() is None:
        with suppress(OSError), urllib.request.urlopen(url, timeout=5):
            return
        time.sleep(0.05)
    raise BenchError(f"{url} does not answer; the end of its log:\n{_tail(log)}")


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-2000:]
