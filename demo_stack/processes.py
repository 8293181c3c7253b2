"""Processes that outlive this command: started, waited for, and ended by pid and start time.

A pid alone may belong to a later process; with the start time of /proc/PID/stat it is one process.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

__all__ = ["DemoError", "Launch", "Started", "alive", "await_ready", "end", "launch", "run"]

POLL_S = 0.05
#: How long children have to end after their parent, and anything after a kill.
OFFSPRING_S = 2.0
KILL_S = 5.0
LOG_LINES = 8


class DemoError(Exception):
    """What the demo could not do: what, where, how to mend it."""


@dataclass(frozen=True, slots=True)
class Launch:
    """What to start, and how to know that it serves."""

    name: str
    argv: Sequence[str]
    #: None once it serves, else what is still missing
    missing: Callable[[], str | None]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    #: user to run as; None: as the caller
    account: str | None = None
    #: port on loopback that it, and nobody else, must be listening on
    port: int | None = None
    #: what asks it to end in good order
    stop_signal: int = signal.SIGTERM
    ready_s: float = 180.0
    stop_s: float = 15.0


@dataclass(frozen=True, slots=True)
class Started:
    """A process that runs, or ran: enough to end it and nothing else."""

    name: str
    pid: int
    start_ticks: int
    stop_signal: int
    stop_s: float
    log: str


def launch(what: Launch, log_dir: Path) -> Started:
    """Start a process in a session of its own, its output in `log_dir`/NAME.log."""
    log = log_dir / f"{what.name}.log"
    with log.open("ab") as output:
        try:
            process = subprocess.Popen(
                what.argv,
                cwd=what.cwd,
                env={**os.environ, **what.env},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=what.account,
                group=what.account,
                extra_groups=None if what.account is None else [],
            )
        except (OSError, LookupError) as error:
            raise DemoError(f"{what.name} could not be started: {error}") from error
    # It is watched by pid and start time from here on, by this command or a later one.
    process.returncode = 0
    ticks = _start_ticks(process.pid)
    return Started(what.name, process.pid, ticks, int(what.stop_signal), what.stop_s, str(log))


def await_ready(what: Launch, started: Started) -> None:
    """Return once it serves; raise with its last log lines if it ends or takes too long."""
    give_up = time.monotonic() + what.ready_s
    while (missing := what.missing() or _port_missing(what, started)) is not None:
        if not alive(started):
            raise DemoError(f"{what.name} ended while starting. {_last_lines(started.log)}")
        if time.monotonic() > give_up:
            waited = f"{what.name} did not get ready within {what.ready_s:.0f} s: {missing}."
            raise DemoError(f"{waited} {_last_lines(started.log)}")
        time.sleep(POLL_S)


def alive(started: Started) -> bool:
    """Whether exactly this process still runs."""
    _reap(started.pid)
    return _start_ticks(started.pid) == started.start_ticks != 0


def end(group: Sequence[Started]) -> tuple[str, ...]:
    """End these processes and what they started; the names of those that had to be killed."""
    running = [started for started in group if alive(started)]
    offspring = [child for started in running for child in _offspring(started.pid)]
    for started in running:
        _signal(started, started.stop_signal)
    begun = time.monotonic()
    killed = []
    for started in running:
        if not _ended_by(started, begun + started.stop_s):
            killed.append(started.name)
            _signal(started, signal.SIGKILL)
            _ended_by(started, time.monotonic() + KILL_S)
    _end_offspring(offspring)
    return tuple(killed)


def run(
    argv: Sequence[str],
    *,
    what: str,
    account: str | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    timeout_s: float = 120.0,
) -> str:
    """Run a command to its end and return its output; raise with its last words if it fails."""
    try:
        done = subprocess.run(
            argv,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            user=account,
            group=account,
            extra_groups=None if account is None else [],
            check=False,
        )
    except (OSError, LookupError, subprocess.TimeoutExpired) as error:
        raise DemoError(f"{what} failed: {error}") from error
    if done.returncode != 0:
        words = " / ".join((done.stderr or done.stdout).strip().splitlines()[-LOG_LINES:])
        raise DemoError(f"{what} failed with status {done.returncode}: {words}")
    return done.stdout


def _port_missing(what: Launch, started: Started) -> str | None:
    """Whether an answer on its port came from somebody else."""
    if what.port is None:
        return None if alive(started) else "it has ended"
    try:
        first = psutil.Process(started.pid)
        for process in (first, *first.children(recursive=True)):
            for one in process.net_connections("inet"):
                if one.status == psutil.CONN_LISTEN and one.laddr.port == what.port:
                    return None
    except (psutil.NoSuchProcess, psutil.AccessDenied):  # denied: of one that is just ending
        return "a process has ended"
    return f"another process answers on port {what.port}"


def _ended_by(started: Started, give_up: float) -> bool:
    """Wait until it has ended or the monotonic clock says `give_up`."""
    while alive(started):
        if time.monotonic() > give_up:
            return False
        time.sleep(POLL_S)
    return True


def _offspring(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _end_offspring(offspring: Sequence[psutil.Process]) -> None:
    """Give them time to follow their parent, then kill those that did not."""
    give_up = time.monotonic() + OFFSPRING_S
    while any(_lives(child) for child in offspring) and time.monotonic() < give_up:
        time.sleep(POLL_S)
    for child in offspring:
        if _lives(child):
            # psutil compares the creation time too before it signals.
            child.kill()
    give_up = time.monotonic() + KILL_S
    while any(_lives(child) for child in offspring) and time.monotonic() < give_up:
        time.sleep(POLL_S)


def _lives(process: psutil.Process) -> bool:
    """Not where it only waits for its parent to take note of its end."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _signal(started: Started, number: int) -> None:
    if alive(started):
        os.kill(started.pid, number)


def _start_ticks(pid: int) -> int:
    """Field 22 of /proc/PID/stat; 0 where no such process runs (a zombie has ended)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return 0 if fields[0] in "ZX" else int(fields[19])


def _reap(pid: int) -> None:
    """Take note of the end of a child of ours, so that it does not stay as a zombie."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return


def _last_lines(log: str) -> str:
    lines = Path(log).read_text(errors="replace").strip().splitlines()[-LOG_LINES:]
    return f"Last lines of {log}: " + " / ".join(lines) if lines else f"{log} is empty."
