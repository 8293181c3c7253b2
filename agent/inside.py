"""Runs a command in another process's pid namespace: there thread ids are what they are to it.

`unshare` gives the command a /proc of that namespace in a mount namespace of its own, so nothing
is mounted where anybody else sees it. Files and network are the agent's, not the container's.
"""

import os
import re
import shutil
import signal
from contextlib import suppress
from pathlib import Path

__all__ = [
    "SYS_ADMIN",
    "SYS_PTRACE",
    "end",
    "has_capability",
    "inner_task_ids",
    "within",
    "why_not",
]

#: Bits of the masks in /proc/PID/status (linux/capability.h).
SYS_PTRACE, SYS_ADMIN = 19, 21
NO_CAPABILITY = (
    "in another pid namespace, which the agent may not enter, so no stacks (requests are counted):"
    " give the agent CAP_SYS_ADMIN besides CAP_SYS_PTRACE"
)
NO_TOOLS = (
    "in another pid namespace, which the agent cannot enter, so no stacks (requests are counted):"
    " install util-linux (nsenter, unshare)"
)
_NSPID = re.compile(r"^NSpid:.*\s(\d+)$", re.MULTILINE)


def within(pid: int) -> list[str]:
    """A command prefix: in the pid namespace of `pid`, and ended when the prefix is."""
    enter = ["nsenter", "--target", str(pid), "--pid", "--no-fork", "--"]
    return [*enter, "unshare", "--kill-child", "--mount-proc", "--"]


def why_not(proc_root: Path) -> str:
    """Why this process cannot run a command in another pid namespace; "" where it may try."""
    if not has_capability(SYS_ADMIN, proc_root):
        return NO_CAPABILITY
    return "" if shutil.which("nsenter") and shutil.which("unshare") else NO_TOOLS


def has_capability(number: int, proc_root: Path) -> bool:
    """Whether this process may use a capability."""
    try:
        lines = (proc_root / "self/status").read_text().splitlines()
    except OSError:
        return False
    masks = [line.split()[1] for line in lines if line.startswith("CapEff:")]
    return bool(masks) and bool(int(masks[0], 16) >> number & 1)


def inner_task_ids(pid: int, proc_root: Path) -> frozenset[int]:
    """Thread ids of a process as its own pid namespace counts them; none when it is gone."""
    found = set()
    with suppress(OSError):
        for entry in (proc_root / f"{pid}/task").iterdir():
            with suppress(OSError):
                match = _NSPID.search((entry / "status").read_text("utf-8", "replace"))
                found |= {int(match[1])} if match else set()
    return frozenset(found)


def end(pid: int, proc_root: Path = Path("/proc")) -> bool:
    """Kill what a prefix of `within` runs; False where it runs nothing yet.

    The prefix itself is left to wait for it: an orphan would be left to the container's first
    process, which may not expect it.
    """
    killed = False
    for child in _children(pid, proc_root):
        with suppress(OSError):
            descriptor = os.pidfd_open(child)
            try:
                if child in _children(pid, proc_root):  # still the same process
                    signal.pidfd_send_signal(descriptor, signal.SIGKILL)
                    killed = True
            finally:
                os.close(descriptor)
    return killed


def _children(pid: int, proc_root: Path) -> list[int]:
    try:
        return [
            int(word) for word in (proc_root / f"{pid}/task/{pid}/children").read_text().split()
        ]
    except OSError:
        return []
