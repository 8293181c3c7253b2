"""Who this process is: commit, runtime, processor, start, namespace. Every answer may be empty."""

from __future__ import annotations

import os
import platform
import re
import sys
import time

__all__ = [
    "cpu_model",
    "git_commit",
    "pid_namespace",
    "process_age_s",
    "process_start_ticks",
    "runtime",
    "worker_number",
]

SHORT_HASH = 12
_HASH = re.compile(r"[0-9a-f]{40,64}")


def git_commit(folder: str) -> str:
    """Short hash of the commit that the folder (or one above it) is checked out at, or ""."""
    try:
        git = _git_folder(os.path.abspath(folder))
        head = _read(os.path.join(git, "HEAD")) if git else ""
        if head.startswith("ref:"):
            head = _resolved(git, head[4:].strip())
        return head[:SHORT_HASH] if _HASH.fullmatch(head) else ""
    except (OSError, ValueError):
        return ""


def runtime() -> str:
    """Such as `cpython 3.11.7`."""
    return "%s %s" % (sys.implementation.name, platform.python_version())


def cpu_model(proc_root: str = "/proc") -> str:
    """`model name` of the first processor; what /proc calls it elsewhere; the machine's name."""
    names = ("model name", "Model", "Hardware", "CPU part")
    found: dict[str, str] = {}
    try:
        for line in _read(os.path.join(proc_root, "cpuinfo")).splitlines():
            key, _, value = line.partition(":")
            found.setdefault(key.strip(), value.strip())
    except OSError:
        pass
    return next((found[name] for name in names if found.get(name)), platform.machine())


def process_start_ticks(pid: int, proc_root: str = "/proc") -> int:
    """Field 22 of /proc/PID/stat, clock ticks since boot; 0 where it cannot be read."""
    try:
        stat = _read(os.path.join(proc_root, str(pid), "stat"))
        return int(stat[stat.rindex(")") + 2 :].split()[19])
    except (OSError, ValueError, IndexError):
        return 0


def process_age_s(start_ticks: int) -> float:
    """Seconds since the process began; 0 where its start is unknown."""
    if not start_ticks:
        return 0.0
    since_boot_s = time.clock_gettime(time.CLOCK_BOOTTIME)
    return max(0.0, since_boot_s - start_ticks / os.sysconf("SC_CLK_TCK"))


def pid_namespace(proc_root: str = "/proc") -> int:
    """Inode of the pid namespace; 0 where it cannot be read."""
    try:
        return os.stat(os.path.join(proc_root, "self", "ns", "pid")).st_ino
    except OSError:
        return 0


def worker_number() -> int:
    """The server's number of this worker, 0 where it has none."""
    uwsgi = sys.modules.get("uwsgi")
    if uwsgi is not None and hasattr(uwsgi, "worker_id"):
        return int(uwsgi.worker_id())
    gunicorn = sys.modules.get("dynoscope_probe.gunicorn")
    return int(getattr(gunicorn, "worker_age", 0))


def _git_folder(folder: str) -> str:
    """The .git folder of a checkout; "" where there is none. A work tree's is named in a file."""
    while True:
        git = os.path.join(folder, ".git")
        if os.path.isdir(git):
            return git
        if os.path.isfile(git):
            named = _read(git).partition("gitdir:")[2].strip()
            return os.path.join(folder, named) if named else ""
        parent = os.path.dirname(folder)
        if parent == folder:
            return ""
        folder = parent


def _resolved(git: str, ref: str) -> str:
    """Hash of a ref: a file of its own, or a line of packed-refs; a work tree shares both."""
    folders = [git]
    common = os.path.join(git, "commondir")
    if os.path.isfile(common):
        folders.append(os.path.join(git, _read(common).strip()))
    for folder in folders:
        loose = os.path.join(folder, ref)
        if os.path.isfile(loose):
            return _read(loose).strip()
        packed = os.path.join(folder, "packed-refs")
        if os.path.isfile(packed):
            for line in _read(packed).splitlines():
                commit, _, name = line.partition(" ")
                if name.strip() == ref:
                    return commit
    return ""


def _read(path: str) -> str:
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read(1 << 22).strip()
