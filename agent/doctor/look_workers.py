"""Facts of the workers: their rings, their uWSGI masters, whether py-spy reads one."""

import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from agent.conditions import may_trace
from agent.doctor.facts import Master, PySpy, RingFacts
from agent.errors import AgentError
from agent.inside import within
from agent.sampler import Target
from agent.uwsgi_master import master_of
from agent.workers import Worker, Workers
from dynoscope_probe import layout

__all__ = ["look_at_workers", "try_py_spy"]

PY_SPY_S = 10.0
REASON_CHARACTERS_MAX = 200
#: What the probe calls a service whose folder has no name.
NO_NAME = "app"

Seen = tuple[tuple[RingFacts, ...], tuple[str, ...], tuple[Master, ...]]


def look_at_workers(ring_dir: Path, proc_root: Path) -> Seen:
    """(rings of living workers, rings that cannot be read and why, uWSGI masters)."""
    workers = Workers(ring_dir, proc_root)
    try:
        workers.look(time.time_ns())
    except AgentError as error:
        return (), (str(error),), ()
    living = [worker for worker in workers.known.values() if worker.alive]
    masters: dict[int, Master] = {}
    for worker in living:
        found = master_of(worker.pid, proc_root) if worker.pid else None
        if found is not None:
            masters[found.pid] = Master(
                found.pid, found.ini, found.after_fork, bool(found.address), found.sure
            )
    rings = tuple(_ring(worker, proc_root) for worker in living)
    return rings, tuple(workers.refused.values()), tuple(masters.values())


def _ring(worker: Worker, proc_root: Path) -> RingFacts:
    ring, header = worker.ring, worker.ring.header
    counters = ring.counters()
    return RingFacts(
        service=ring.string(header.service_id),
        pid=worker.pid,
        unit=layout.UNITS[header.unit] if header.unit < len(layout.UNITS) else "none",
        unit_reason=ring.string(header.unit_reason_id),
        bytes=ring.path.stat().st_size,
        bad_settings=counters["bad_settings"],
        probe_errors=counters["probe_errors"],
        requests_unrecorded=counters["requests_unrecorded"],
        no_trace=may_trace(worker.pid, proc_root),
        unreachable=worker.unreachable,
        inner_pid=worker.inner_pid,
        defaulted=_defaulted(worker, proc_root),
    )


def _defaulted(worker: Worker, proc_root: Path) -> tuple[str, ...]:
    """Which names nobody chose, as far as the process's environment can be read."""
    ring, header = worker.ring, worker.ring.header
    found = [] if ring.string(header.release_id) else ["release"]
    process = proc_root / str(worker.pid)
    try:
        environ = (process / "environ").read_bytes().split(b"\0")
        folder = Path(os.readlink(process / "cwd")).name
    except OSError:
        return tuple(found)
    named = any(word.startswith(b"DYNOSCOPE_SERVICE=") for word in environ)
    if not named and ring.string(header.service_id) in (folder, NO_NAME):
        found.append("service")
    return tuple(found)


def try_py_spy(binary: str, targets: Sequence[Target]) -> PySpy:
    """Its version, and whether it reads the first of these processes."""
    version, failure = _run([binary, "--version"])
    if failure or not targets:
        return PySpy(binary, "" if failure else version, failure, 0, "")
    first = targets[0]
    dump = [binary, "dump", "--nonblocking", "--pid", str(first.inner_pid or first.pid)]
    prefix = within(first.pid) if first.inner_pid else []
    _, reading_failure = _run([*prefix, *dump])
    return PySpy(binary, version, "", first.pid, reading_failure)


def _run(command: list[str]) -> tuple[str, str]:
    """(first line of what it printed, why it failed)."""
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=PY_SPY_S,
            env={**os.environ, "RUST_BACKTRACE": "0"},
        )
    except OSError as error:
        return "", (error.strerror or str(error)).lower()
    except subprocess.TimeoutExpired:
        return "", f"no answer within {PY_SPY_S:.0f} s"
    first = next(iter(done.stdout.splitlines()), "")
    if done.returncode:
        said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        return first, (said[0] if said else f"status {done.returncode}")[:REASON_CHARACTERS_MAX]
    return first, ""
