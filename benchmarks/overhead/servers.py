"""The configurations that are compared, each served by a uWSGI worker of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

__all__ = [
    "PEERS",
    "BenchError",
    "Configuration",
    "Worker",
    "configurations",
    "own_configurations",
    "serving",
]

ROOT = Path(__file__).parents[2]
PEERS_DIR = ROOT / ".bench"
PEERS = ("opentelemetry", "sentry", "elastic", "ddtrace")
START_S = 60
_PROBE = ("--py-call-osafterfork", "--import", "dynoscope_probe.uwsgi")


class BenchError(Exception):
    """The benchmark cannot be run; says what is missing and how to mend it."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """One way to serve the application. `folder` holds a peer's packages."""

    name: str
    module: str = "benchmarks.overhead.bare"
    options: tuple[str, ...] = ()
    environ: dict[str, str] = field(default_factory=dict)
    folder: Path | None = None


@dataclass(frozen=True, slots=True)
class Worker:
    """A configuration's worker process while it runs, stopped (SIGSTOP) unless it is its turn."""

    configuration: Configuration
    pid: int
    port: int

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Let it run in the body, and only there: what it exports is done in its own turns."""
        os.kill(self.pid, signal.SIGCONT)
        try:
            yield
        finally:
            _stop(self.pid)


def configurations(sink_url: str, compiled: bool) -> list[Configuration]:
    """All that are compared, bare first. Raises BenchError where a peer is not installed."""
    found = own_configurations(compiled)
    for peer in PEERS:
        folder = PEERS_DIR / peer
        if not (folder / ".installed").exists():
            raise BenchError(f"{peer} is not installed in {folder}: run 'make bench-setup' first")
        environ = {"BENCH_SINK": sink_url, "DD_TRACE_AGENT_URL": sink_url}
        module = f"benchmarks.overhead.with_{peer}"
        found.append(Configuration(peer, module, environ=environ, folder=folder))
    return found


def own_configurations(compiled: bool) -> list[Configuration]:
    """Bare, and Dynoscope in its default configuration: pure Python, then compiled if asked for."""
    found = [
        Configuration("bare"),
        Configuration("dynoscope", options=_PROBE, environ={"DYNOSCOPE_FAST": "0"}),
    ]
    if compiled:
        found.append(Configuration("dynoscope compiled", options=_PROBE))
    return found


@contextmanager
def serving(wanted: list[Configuration], folder: Path, loops: int) -> Iterator[list[Worker]]:
    """All of them, started at once, answering; ended afterwards. `folder` takes logs and rings."""
    with ExitStack() as stack:
        started = [(each, *_start(each, folder, loops)) for each in wanted]
        for _, process, _ in started:
            stack.callback(_end, process)
        for each, process, port in started:
            _wait(each, process, port, folder)
            _stop(process.pid)
        yield [Worker(each, process.pid, port) for each, process, port in started]


def _start(wanted: Configuration, folder: Path, loops: int) -> tuple[subprocess.Popen[bytes], int]:
    port = free_port()
    command = [
        str(Path(sys.executable).parent / "uwsgi"),
        "--http-socket", f"127.0.0.1:{port}", "--processes", "1", "--enable-threads",
        "--single-interpreter", "--need-app", "--disable-logging", "--die-on-term",
        *wanted.options, "--module", f"{wanted.module}:application",
    ]  # fmt: skip
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DYNOSCOPE_", "UWSGI_"))}
    path = [str(wanted.folder)] if wanted.folder else []
    environ = {
        **kept,
        "PYTHONPATH": os.pathsep.join([*path, str(ROOT)]),
        "PYTHONHASHSEED": "0",
        "BENCH_LOOPS": str(loops),
        "DYNOSCOPE_RING_DIR": str(folder / "rings"),
        **wanted.environ,
    }
    with _log(wanted, folder).open("wb") as log:
        return subprocess.Popen(command, env=environ, stdout=log, stderr=log, cwd=folder), port


def _wait(wanted: Configuration, process: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    log = _log(wanted, folder).read_text(errors="replace")[-2000:]
    raise BenchError(f"uWSGI with {wanted.name} did not start; the end of its log:\n{log}")


def _stop(pid: int) -> None:
    """Stop a child and wait until it stands; the next load shows it if it has ended instead."""
    os.kill(pid, signal.SIGSTOP)
    os.waitid(os.P_PID, pid, os.WSTOPPED | os.WEXITED)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()  # also while it is stopped
    process.wait()


def _log(wanted: Configuration, folder: Path) -> Path:
    return folder / f"{wanted.name.replace(' ', '-')}.log"


def free_port() -> int:
    """A port on loopback that was free a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
