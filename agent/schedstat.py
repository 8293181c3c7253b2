"""CPU and run-queue wait of a process's threads, from /proc/PID/task/TID/schedstat."""

from pathlib import Path

__all__ = ["contended", "schedstat", "task_ids"]

CONTENDED_WAIT_SHARE = 0.10


def task_ids(pid: int, proc_root: Path) -> frozenset[int]:
    """Thread ids of a process; none when it is gone."""
    try:
        return frozenset(int(entry.name) for entry in (proc_root / f"{pid}/task").iterdir())
    except OSError:
        return frozenset()


def schedstat(pid: int, proc_root: Path) -> tuple[int, int]:
    """(CPU ns, run-queue wait ns) summed over the threads that there are."""
    cpu_ns = wait_ns = 0
    for tid in task_ids(pid, proc_root):
        try:
            fields = (proc_root / f"{pid}/task/{tid}/schedstat").read_text().split()
        except OSError:
            continue
        cpu_ns += int(fields[0])
        wait_ns += int(fields[1])
    return cpu_ns, wait_ns


def contended(before: tuple[int, int], after: tuple[int, int]) -> bool:
    """Whether waiting for a core exceeded CONTENDED_WAIT_SHARE of the CPU time between the two."""
    cpu_ns, wait_ns = after[0] - before[0], after[1] - before[1]
    return wait_ns > CONTENDED_WAIT_SHARE * max(cpu_ns, 0) and cpu_ns > 0
