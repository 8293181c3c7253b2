"""What can and cannot be done for each worker, and why: for `agent status` and the Hosts page."""

import errno
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from agent.requests import Identity
from agent.series import Series
from agent.uwsgi_master import Master
from agent.workers import Worker

__all__ = ["Condition", "condition", "may_trace", "state_series"]

LABEL_CHARACTERS_MAX = 300


@dataclass(frozen=True, slots=True)
class Condition:
    """One worker as the agent finds it.

    `permission`: whether the agent may read its memory (stacks need that); `thread_ids`: right,
    wrong (waits would count as CPU) or unknown; `idle_s`: since its newest record was read, -1 when
    none was; `profiled_ms`: when stacks were taken last (epoch), 0 for never; `reasons`: all that
    is in the way, with how to mend it.
    """

    permission: bool
    thread_ids: str
    idle_s: float
    profiled_ms: int
    reasons: tuple[str, ...]


def condition(
    worker: Worker,
    *,
    refused: str,
    sampling: str,
    profiled_ms: int,
    master: Master | None,
    uwsgi: str,
    now_ns: int,
) -> Condition:
    """`refused`: why its memory may not be read; `sampling`, `uwsgi`: their own reasons. Pure."""
    foreign = "thread id" in sampling
    thread_ids, ini_line = "unknown", ""
    if foreign:
        thread_ids = "wrong"
    elif profiled_ms:
        thread_ids = "right"
    if master is not None and master.sure and not master.after_fork and thread_ids != "right":
        thread_ids = "wrong"
        ini_line = (
            f"{master.ini or 'the uWSGI command line'} lacks `py-call-osafterfork = true`:"
            " py-spy would count waits as CPU, so no stacks are taken"
        )
    reasons = (worker.unreachable, refused, ini_line or sampling, uwsgi)
    idle_s = (now_ns - worker.last_record_ns) / 1e9 if worker.last_record_ns else -1.0
    told = tuple(one for one in reasons if one)
    return Condition(not refused, thread_ids, idle_s, profiled_ms, told)


def may_trace(pid: int, proc_root: Path) -> str:
    """Why the agent may not read a process's memory; "" where it may, or the process is gone."""
    if not pid:
        return ""
    try:
        os.close(os.open(proc_root / f"{pid}/mem", os.O_RDONLY | os.O_CLOEXEC))
    except PermissionError:
        if _may_read_memory(pid):  # the file is its user's alone, whatever capability we have
            return ""
        return (
            "no permission to read the process, so no stacks: give the agent CAP_SYS_PTRACE"
            f" ({_ptrace_scope(proc_root)})"
        )
    except OSError:
        return ""
    return ""


def state_series(
    worker: Worker, who: Identity, now: Condition, strings: Mapping[str, str], now_ns: int
) -> list[Series]:
    """A worker's condition as metrics: its words are labels of `worker_state`."""
    labels = (f"pid={worker.pid}", f"worker={worker.ring.header.worker}")
    words = {
        **strings,
        "permission": "yes" if now.permission else "no",
        "thread_ids": now.thread_ids,
        "reason": "; ".join(now.reasons),
    }
    described = [f"{name}={text[:LABEL_CHARACTERS_MAX]}" for name, text in words.items()]
    age_s = max(0.0, (now_ns - worker.ring.header.created_ns) / 1e9)
    return [
        Series("worker_state", "gauge", "", (*labels, *described), 1.0, "worker", who),
        Series("worker_idle_s", "gauge", "s", labels, now.idle_s, "worker", who),
        Series("worker_profiled_ms", "gauge", "ms", labels, now.profiled_ms, "worker", who),
        Series("worker_age_s", "gauge", "s", labels, age_s, "worker", who),
    ]


def _may_read_memory(pid: int) -> bool:
    """Ask as py-spy does, for one byte where none is: EFAULT means that we might have had it."""
    import ctypes  # where /proc does not say it

    class Span(ctypes.Structure):
        _fields_ = (("start", ctypes.c_void_p), ("length", ctypes.c_size_t))

    own, theirs = ctypes.create_string_buffer(1), Span(1, 1)
    here = Span(ctypes.addressof(own), 1)
    libc = ctypes.CDLL(None, use_errno=True)
    done = libc.process_vm_readv(
        ctypes.c_int(pid), ctypes.byref(here), ctypes.c_ulong(1),
        ctypes.byref(theirs), ctypes.c_ulong(1), ctypes.c_ulong(0),
    )  # fmt: skip
    return bool(done >= 0 or ctypes.get_errno() == errno.EFAULT)


def _ptrace_scope(proc_root: Path) -> str:
    try:
        scope = (proc_root / "sys/kernel/yama/ptrace_scope").read_text().strip()
    except OSError:
        return "or run it as the worker's user"
    return f"kernel.yama.ptrace_scope is {scope}"
