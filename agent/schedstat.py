"""CPU and run-queue wait of a process's threads, from /proc/PID/task/TID."""

import re
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Scheduled", "contended", "scheduled", "task_ids"]

CONTENDED_WAIT_SHARE = 0.10
_PREEMPTIONS = re.compile(r"^nonvoluntary_ctxt_switches:\s*(\d+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Scheduled:
    """Of all threads of a process: `cpu_ns` on a core; `wait_ns` runnable without one; how often
    they were given a core, and how often it was taken from them; in `wall_ns`."""

    wall_ns: int
    cpu_ns: int
    wait_ns: int
    turns: int
    preemptions: int

    def since(self, before: "Scheduled") -> "Scheduled":
        """What was added after `before`."""
        return Scheduled(
            max(1, self.wall_ns - before.wall_ns),
            self.cpu_ns - before.cpu_ns,
            self.wait_ns - before.wait_ns,
            self.turns - before.turns,
            self.preemptions - before.preemptions,
        )

    @property
    def preempted_ns(self) -> float:
        """How much of `wait_ns` came after preemptions, not wake-ups, if both are as long."""
        return self.wait_ns * min(1.0, self.preemptions / self.turns) if self.turns > 0 else 0.0


def task_ids(pid: int, proc_root: Path) -> frozenset[int]:
    """Thread ids of a process; none when it is gone."""
    try:
        return frozenset(int(entry.name) for entry in (proc_root / f"{pid}/task").iterdir())
    except OSError:
        return frozenset()


def scheduled(pid: int, proc_root: Path, wall_ns: int) -> Scheduled:
    """Summed over the threads that there are at the time `wall_ns`, on any clock."""
    cpu_ns = wait_ns = turns = preemptions = 0
    for tid in task_ids(pid, proc_root):
        task = proc_root / f"{pid}/task/{tid}"
        try:
            fields = (task / "schedstat").read_text().split()
            switches = _PREEMPTIONS.search((task / "status").read_text("utf-8", "replace"))
        except OSError:
            continue
        cpu_ns += int(fields[0])
        wait_ns += int(fields[1])
        turns += int(fields[2])
        preemptions += int(switches[1]) if switches else 0
    return Scheduled(wall_ns, cpu_ns, wait_ns, turns, preemptions)


def contended(ran: Scheduled) -> bool:
    """Whether waiting for a core exceeded CONTENDED_WAIT_SHARE of the CPU time."""
    return ran.wait_ns > CONTENDED_WAIT_SHARE * max(ran.cpu_ns, 0) and ran.cpu_ns > 0
