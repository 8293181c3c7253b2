"""Limits and throttling of the workers' cgroups, version 1 and 2.

A limit anywhere above a group binds it, so the tightest of the path is told, with the throttling
of the group that sets it.
https://docs.kernel.org/admin-guide/cgroup-v2.html
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agent.samples import WorkerView
from agent.series import Increases, Series

__all__ = ["CGroups", "Found", "cgroup_of"]

DEPTH_MAX = 16
GROUPS_MAX = 256
#: Version 1 says "no limit" with the largest number of pages.
UNLIMITED_BYTES = 1 << 60


@dataclass(frozen=True, slots=True)
class Found:
    """What binds a process. Cores and bytes are None without a limit; times in seconds."""

    name: str
    cpu_limit_cores: float | None = None
    memory_limit_bytes: int | None = None
    memory_used_bytes: int | None = None
    periods: int | None = None
    throttled_periods: int | None = None
    throttled_s: float | None = None


@dataclass(frozen=True, slots=True)
class _Mount:
    controllers: frozenset[str]
    path: Path
    root: str


@dataclass(slots=True)
class CGroups:
    """One row of numbers for each service and cgroup."""

    proc_root: Path
    _increases: Increases = field(default_factory=Increases)

    def read(self, workers: Sequence[WorkerView]) -> list[Series]:
        """The cgroups of these workers."""
        mounts = _mounts(self.proc_root)
        groups: dict[tuple[str, str], tuple[WorkerView, Found]] = {}
        for worker in workers:
            found = cgroup_of(worker.pid, self.proc_root, mounts) if worker.pid else None
            if found is not None and len(groups) < GROUPS_MAX:
                groups.setdefault((worker.identity.service, found.name), (worker, found))
        return [one for worker, found in groups.values() for one in self._series(worker, found)]

    def _series(self, worker: WorkerView, found: Found) -> Iterable[Series]:
        labels, who = (f"cgroup={found.name}",), worker.identity
        for name, unit, value in (
            ("cgroup_cpu_limit_cores", "cores", found.cpu_limit_cores),
            ("cgroup_memory_limit_bytes", "bytes", found.memory_limit_bytes),
            ("cgroup_memory_used_bytes", "bytes", found.memory_used_bytes),
        ):
            if value is not None:
                yield Series(name, "gauge", unit, labels, value, "worker", who)
        for name, unit, total in (
            ("cgroup_periods", "periods", found.periods),
            ("cgroup_throttled_periods", "periods", found.throttled_periods),
            ("cgroup_throttled_s", "s", found.throttled_s),
        ):
            if total is None:
                continue
            increase = self._increases.of((who.service, found.name, name), total)
            if increase is not None:
                yield Series(name, "counter", unit, labels, increase, "worker", who)


def cgroup_of(pid: int, proc_root: Path, mounts: Sequence[_Mount] | None = None) -> Found | None:
    """What binds a process, or None where its cgroups cannot be seen."""
    try:
        lines = (proc_root / f"{pid}/cgroup").read_text().splitlines()
    except OSError:
        return None
    mounts = _mounts(proc_root) if mounts is None else mounts
    cpu: list[Path] = []
    memory: list[Path] = []
    name = "/"
    for line in lines:
        _, controllers, path = (line.split(":", 2) + ["", ""])[:3]
        words = set(controllers.split(","))
        if not words & {"", "cpu", "memory"}:
            continue
        has_cpu = "cpu" in words or not controllers
        levels = _levels(mounts, frozenset(words - {""}), path)
        if has_cpu:
            cpu += levels
        if "memory" in words or not controllers:
            memory += levels
        if levels and path != "/" and (has_cpu or name == "/"):
            name = path
    return _found(name, cpu, memory) if cpu or memory else None


def _found(name: str, cpu: Sequence[Path], memory: Sequence[Path]) -> Found:
    quotas = [(cores, level) for level in cpu if (cores := _cores(level)) is not None]
    cores, binding = min(quotas, default=(None, cpu[0] if cpu else None))
    stat = _numbers(binding / "cpu.stat") if binding else {}
    limits = [(limit, level) for level in memory if (limit := _bytes(level)) is not None]
    limit, holder = min(limits, default=(None, memory[0] if memory else None))
    used = _first(holder, "memory.current", "memory.usage_in_bytes") if holder else None
    throttled_s = None
    if "throttled_usec" in stat:
        throttled_s = stat["throttled_usec"] / 1e6
    elif "throttled_time" in stat:
        throttled_s = stat["throttled_time"] / 1e9
    return Found(
        name=name,
        cpu_limit_cores=cores,
        memory_limit_bytes=limit,
        memory_used_bytes=int(used) if used and used.isdigit() else None,
        periods=stat.get("nr_periods"),
        throttled_periods=stat.get("nr_throttled"),
        throttled_s=throttled_s,
    )


def _cores(level: Path) -> float | None:
    """A group's own CPU limit in cores."""
    quota, period = ((_first(level, "cpu.max") or "").split() + ["", ""])[:2]
    if not quota:
        quota = _first(level, "cpu.cfs_quota_us") or ""
        period = _first(level, "cpu.cfs_period_us") or ""
    usable = quota.isdigit() and period.isdigit() and int(period) > 0
    return int(quota) / int(period) if usable else None


def _bytes(level: Path) -> int | None:
    """A group's own memory limit."""
    text = _first(level, "memory.max", "memory.limit_in_bytes") or ""
    return int(text) if text.isdigit() and int(text) < UNLIMITED_BYTES else None


def _levels(mounts: Sequence[_Mount], words: frozenset[str], path: str) -> list[Path]:
    """A group's folder and those above it, innermost first; none where it is out of sight."""
    for mount in mounts:
        if (words or mount.controllers) and not words & mount.controllers:
            continue
        if ".." in path.split("/") or not f"{path}/".startswith(mount.root.rstrip("/") + "/"):
            continue
        parts = [part for part in path[len(mount.root.rstrip("/")) :].split("/") if part]
        parts = parts[:DEPTH_MAX]
        return [mount.path.joinpath(*parts[:n]) for n in range(len(parts), -1, -1)]
    return []


def _mounts(proc_root: Path) -> list[_Mount]:
    """Where cgroups are mounted; the unified hierarchy has no controllers in its options."""
    try:
        lines = (proc_root / "self/mountinfo").read_text().splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        before, _, after = line.partition(" - ")
        fields, rest = before.split(), after.split()
        if len(fields) < 5 or len(rest) < 3 or rest[0] not in ("cgroup", "cgroup2"):
            continue
        controllers = frozenset(rest[2].split(",")) if rest[0] == "cgroup" else frozenset()
        found.append(_Mount(controllers, Path(fields[4]), fields[3]))
    return found


def _first(level: Path, *names: str) -> str | None:
    """The text of the first of these files that there is."""
    for name in names:
        try:
            return (level / name).read_text().strip()
        except (OSError, ValueError):
            continue
    return None


def _numbers(path: Path) -> dict[str, int]:
    """`name number` lines."""
    try:
        pairs = [line.split() for line in path.read_text().splitlines()]
    except OSError:
        return {}
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdigit()}
