"""CPU time of another process, in ns, read from outside."""

from __future__ import annotations

import time

__all__ = ["process_cpu_ns"]

_SCHEDULER_CLOCK = 2


def process_cpu_ns(pid: int) -> int:
    """User and system time of all threads of a process, ended ones included.

    Linux makes the clock of a process out of its pid (clock_getcpuclockid(3)). Raises OSError if
    there is no such process.
    """
    return time.clock_gettime_ns(~pid << 3 | _SCHEDULER_CLOCK)
