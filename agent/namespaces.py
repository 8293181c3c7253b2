"""Finds the process behind a ring that was written in another pid namespace (a container).

The ring's header has the pid as its own namespace counts, and the inode of that namespace.
/proc/PID/status lists a process's pids in all namespaces from ours inward (NSpid), and
/proc/PID/ns/pid is the namespace, where the agent may look at it (CAP_SYS_PTRACE or the same user).
Where it may not, the inner pid and the start time must name one process only.
"""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from agent.header import Header

__all__ = ["Namespaces", "Process", "hidden", "inner_processes", "namespace_of", "start_ticks"]

#: What the kernel calls the pid namespace of the machine itself (PROC_PID_INIT_INO).
INITIAL_NAMESPACE = 0xEFFFFFFC
SCAN_EVERY_NS = 30 * 10**9
PID_MAX = 1 << 22
#: What /proc says of a process that has ended, or that belongs to others (hidepid).
GONE = (FileNotFoundError, ProcessLookupError, PermissionError)
_NSPID = re.compile(r"^NSpid:((?:\s+\d+)+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Process:
    """A process of a pid namespace below ours. `namespace` 0: the agent may not see it."""

    pid: int
    inner_pid: int
    namespace: int
    start_ticks: int


@dataclass(slots=True)
class Namespaces:
    """What is known of other pid namespaces; a look through /proc only when a ring needs it."""

    proc_root: Path
    own: int = 0
    _sees_all: bool = False
    _processes: tuple[Process, ...] = ()
    #: namespaces of which the agent has seen a process: what it does not find there is gone
    _seen: set[int] = field(default_factory=set)
    _asked: set[int] = field(default_factory=set)
    _scanned_ns: int = 0

    def __post_init__(self) -> None:
        self.own = namespace_of("self", self.proc_root)
        # With hidepid even process 1 is out of sight, and absence says nothing.
        whole = (self.proc_root / "1/status").exists()
        self._sees_all = whole and self.own == INITIAL_NAMESPACE

    def foreign(self, header: Header) -> bool:
        """Whether a ring's pid is not one of ours."""
        return bool(header.pid_namespace and self.own and header.pid_namespace != self.own)

    def find(self, header: Header, now_ns: int) -> int | None:
        """Our pid of a ring's process; 0: it has ended; None: it cannot be told."""
        if header.ring_id not in self._asked or now_ns - self._scanned_ns >= SCAN_EVERY_NS:
            if now_ns != self._scanned_ns:
                self._scan(now_ns)
            self._asked.add(header.ring_id)
        pid = located(header, self._processes)
        if pid is not None:
            return pid
        return 0 if self._sees_all or header.pid_namespace in self._seen else None

    def forget(self, ring_id: int) -> None:
        """The ring is no more."""
        self._asked.discard(ring_id)

    def _scan(self, now_ns: int) -> None:
        self._processes = tuple(inner_processes(self.proc_root))
        self._seen |= {one.namespace for one in self._processes if one.namespace}
        self._scanned_ns = now_ns


def located(header: Header, processes: Iterable[Process]) -> int | None:
    """The pid of the one process that a header can mean, or None."""
    ticks = header.process_start_ticks
    same = [
        one
        for one in processes
        if one.inner_pid == header.pid and (not ticks or one.start_ticks == ticks)
    ]
    sure = [one.pid for one in same if one.namespace == header.pid_namespace]
    likely = [one.pid for one in same if one.namespace == 0 and ticks]
    found = sure or likely
    return found[0] if len(found) == 1 else None


def inner_processes(proc_root: Path) -> Iterable[Process]:
    """Living processes of pid namespaces below the one that /proc shows.

    Raises OSError where the agent itself is out of something (files, memory).
    """
    for name in os.listdir(proc_root):
        if not name.isdigit():
            continue
        try:
            status = (proc_root / name / "status").read_text("utf-8", "replace")
        except GONE:
            continue
        match = _NSPID.search(status)
        pids = match[1].split() if match else []
        if len(pids) < 2:
            continue
        ticks = start_ticks(int(name), proc_root)
        if ticks is not None:
            yield Process(int(name), int(pids[-1]), namespace_of(name, proc_root), ticks)


def namespace_of(pid: int | str, proc_root: Path) -> int:
    """Inode of a process's pid namespace; 0 where it cannot be read."""
    try:
        return (proc_root / f"{pid}/ns/pid").stat().st_ino
    except OSError:
        return 0


def hidden(pid: int, proc_root: Path) -> bool:
    """Whether there is such a process after all, and /proc keeps it from us (hidepid)."""
    if not 0 < pid <= PID_MAX:
        return False
    try:
        os.close(os.open(proc_root / f"{pid}/stat", os.O_RDONLY | os.O_CLOEXEC))
        return False
    except GONE:
        pass
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except ProcessLookupError:
        return False
    return True


def start_ticks(pid: int, proc_root: Path) -> int | None:
    """Field 22 of /proc/PID/stat; None for a process that is gone, a zombie, or out of sight.

    Raises OSError where the agent itself is out of something (files, memory).
    """
    try:
        fields = (
            (proc_root / f"{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        )
    except GONE:
        return None
    return None if len(fields) < 20 or fields[0] in "ZX" else int(fields[19])
