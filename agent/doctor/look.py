"""Gathers the facts of a host: every question that the doctor asks of the system."""

import os
import pwd
import time
from collections.abc import Iterable
from pathlib import Path

from agent.doctor.facts import Facts, Folder, Kernel, PySpy, RingFacts
from agent.doctor.look_outside import look_at_collector, look_at_spool
from agent.doctor.look_workers import look_at_workers, try_py_spy
from agent.inside import SYS_PTRACE, has_capability
from agent.sampler import Target

__all__ = ["look"]

DEVICES = "bus/event_source/devices"


def look(
    *,
    url: str,
    ring_dir: Path,
    spool: Path,
    token_file: Path | None,
    py_spy: str,
    shm: Path = Path("/dev/shm"),
    proc_root: Path = Path("/proc"),
    sys_root: Path = Path("/sys"),
) -> Facts:
    """All facts. Takes some seconds at most where the collector or py-spy hangs."""
    rings, refused, masters = look_at_workers(ring_dir, proc_root)
    tried: PySpy = try_py_spy(py_spy, _targets(rings))
    return Facts(
        kernel=_kernel(proc_root, sys_root),
        shm=folder_of(shm),
        ring_dir=folder_of(ring_dir),
        rings=rings,
        refused=refused,
        masters=masters,
        py_spy=tried,
        collector=look_at_collector(url, token_file, time.time),
        spool=look_at_spool(spool, folder_of(spool), proc_root, time.time()),
    )


def folder_of(path: Path) -> Folder:
    """A folder as this user may use it."""
    try:
        mode = path.stat().st_mode & 0o7777
        if not path.is_dir():
            return Folder(str(path), "not a folder")
        sizes = os.statvfs(path)
    except OSError as error:
        return Folder(str(path), (error.strerror or "cannot be read").lower())
    return Folder(
        path=str(path),
        mode=mode,
        readable=os.access(path, os.R_OK | os.X_OK),
        writable=os.access(path, os.W_OK | os.X_OK),
        total_bytes=sizes.f_blocks * sizes.f_frsize,
        free_bytes=sizes.f_bavail * sizes.f_frsize,
    )


def _kernel(proc_root: Path, sys_root: Path) -> Kernel:
    try:
        devices = os.listdir(sys_root / DEVICES)
    except OSError:
        devices = []
    return Kernel(
        perf_event_paranoid=_number(proc_root / "sys/kernel/perf_event_paranoid"),
        has_pmu=any(_is_pmu(name) for name in devices),
        ptrace_scope=_number(proc_root / "sys/kernel/yama/ptrace_scope"),
        user=_user(),
        may_ptrace=has_capability(SYS_PTRACE, proc_root),
    )


def _is_pmu(name: str) -> bool:
    """Whether an event source is a processor's own: cpu, cpu_core, armv8_pmuv3_0."""
    return name == "cpu" or name.startswith(("cpu_core", "cpu_atom", "armv", "apple_"))


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def _targets(rings: Iterable[RingFacts]) -> list[Target]:
    """Workers whose stacks can be taken at all."""
    able = [ring for ring in rings if ring.pid and not ring.unreachable]
    return [Target(ring.pid, ring.inner_pid) for ring in able]


def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return f"the user {os.geteuid()}"
