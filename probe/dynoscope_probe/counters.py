"""What a thread's CPU use is counted with: hardware instructions, or else thread CPU time.

`open_counter` gives the thread's counter. `perf_event_open` counts three things in one group that
one read returns: instructions in user space, task clock, context switches (from getrusage where
the kernel lets this user count user space only: perf_event_paranoid 2). Where the host or its
sandbox refuses, the reason is kept as text, and thread CPU time and getrusage serve.
"""

from __future__ import annotations

import errno
import os
import platform
import sys
from functools import partial
from operator import itemgetter
from resource import RUSAGE_THREAD, getrusage
from struct import Struct
from typing import Any, Callable, Optional

from dynoscope_probe import layout

__all__ = [
    "UNIT_CPU_NS",
    "UNIT_INSTRUCTIONS",
    "UNIT_NONE",
    "PerfGroup",
    "context_switches",
    "in_greenlet",
    "moved_back",
    "open_group",
]

UNIT_NONE = layout.UNITS.index("none")
UNIT_CPU_NS = layout.UNITS.index("cpu_ns")
UNIT_INSTRUCTIONS = layout.UNITS.index("instructions")

_SYSCALL = {"x86_64": 298, "aarch64": 241}
_HARDWARE, _SOFTWARE = 0, 1
_CONTEXT_SWITCHES = (_SOFTWARE, 3)
#: Counts nothing: it stands in for an event that this user may not have.
_DUMMY = (_SOFTWARE, 9)
#: (type, config): instructions, task clock, context switches. The first leads the group.
EVENTS = ((_HARDWARE, 1), (_SOFTWARE, 1), _CONTEXT_SWITCHES)
#: perf_event_attr up to its first published size: type, size, config, sample_period, sample_type,
#: read_format, flags, wakeup_events, bp_type, bp_addr.
_ATTR = Struct("<IIQQQQQIIQ")
_FORMAT_TIMES_AND_GROUP = 1 | 2 | 8
_EXCLUDE_KERNEL, _EXCLUDE_HYPERVISOR = 1 << 5, 1 << 6
_CLOEXEC = 8
#: number of values, time enabled, time running, the three values
_READING = Struct("<6Q")
_U64 = Struct("<Q")


class PerfGroup:
    """The counter group of the thread that opened it."""

    def __init__(self, events: tuple[tuple[int, int], ...] = EVENTS) -> None:
        """Opens the group; raises OSError with the kernel's reason."""
        self._fds: list[int] = []
        #: Whether the kernel counts context switches for this user.
        self._switches = True
        try:
            for event in events:
                fd, given = _open_event(event, self._fds[0] if self._fds else -1)
                self._fds.append(fd)
                self._switches = self._switches and given == event
        except OSError:
            self.close()
            raise

    def read(self) -> bytes:
        """A reading, to be given to `since`."""
        reading = os.read(self._fds[0], _READING.size)
        return reading if self._switches else reading[:-8] + _U64.pack(context_switches())

    def since(self, before: bytes) -> tuple[int, int, int, int]:
        """(unit, cost, task_clock_ns, context switches) since a reading.

        If the group shared the hardware in between (multiplexed), part was not counted: the unit is
        cpu_ns then. A thread's events are enabled just while it has a processor, so the time
        enabled is its CPU time, kernel included.
        """
        _, enabled_a, running_a, count_a, clock_a, switches_a = _READING.unpack(before)
        _, enabled_b, running_b, count_b, clock_b, switches_b = _READING.unpack(self.read())
        cpu_ns = enabled_b - enabled_a
        if cpu_ns != running_b - running_a or not running_b:
            return UNIT_CPU_NS, cpu_ns, cpu_ns, 0
        return UNIT_INSTRUCTIONS, count_b - count_a, clock_b - clock_a, switches_b - switches_a

    def timer(self) -> Callable[[], int]:
        """Reads the instructions so far, for a profiler: without a Python frame."""
        readings = iter(partial(os.read, self._fds[0], _READING.size), b"")
        return map(itemgetter(3), map(_READING.unpack, readings)).__next__

    def close(self) -> None:
        """Close the group's descriptors."""
        while self._fds:
            os.close(self._fds.pop())


def moved_back(before: bytes, start: bytes, end: bytes) -> bytes:
    """A group's reading, earlier by what was counted between two other ones."""
    (_, *at), (_, *since), (_, *to) = map(_READING.unpack, (before, start, end))
    return _READING.pack(len(EVENTS), *(at[n] - (to[n] - since[n]) for n in range(len(at))))


def open_group(counter: str) -> tuple[Optional[PerfGroup], str]:
    """(this thread's group, "") or (None, why thread CPU time is used instead).

    `counter` is DYNOSCOPE_COUNTER.
    """
    if counter == "cpu_ns":
        return None, "DYNOSCOPE_COUNTER=cpu_ns"
    try:
        return PerfGroup(), ""
    except OSError as error:
        name = errno.errorcode.get(error.errno or 0, str(error.errno))
        return None, "perf_event_open: %s (%s)" % (name, error.strerror)


def context_switches() -> int:
    """Of this thread so far, with and against its will; 0 where a sandbox refuses to tell."""
    try:
        usage = getrusage(RUSAGE_THREAD)
    except OSError:
        return 0
    return usage.ru_nvcsw + usage.ru_nivcsw


def in_greenlet() -> bool:
    """Whether other requests may run on this thread before this one ends: nothing to count then."""
    greenlet = sys.modules.get("greenlet")
    if greenlet is None:
        return False
    return greenlet.getcurrent().parent is not None or _is_patched()


def _is_patched() -> bool:
    """Whether gevent has replaced threads by greenlets in this process."""
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and bool(monkey.is_module_patched("threading"))


def _open_event(event: tuple[int, int], leader: int) -> tuple[int, tuple[int, int]]:
    """(its descriptor, the event that was opened: _DUMMY where this user may not have it)."""
    if event == _CONTEXT_SWITCHES:  # they happen in the kernel
        try:
            return _perf_event_open(*event, _EXCLUDE_HYPERVISOR, leader), event
        except OSError as error:
            if error.errno != errno.EACCES:
                raise
            event = _DUMMY
    return _perf_event_open(*event, _EXCLUDE_KERNEL | _EXCLUDE_HYPERVISOR, leader), event


def _perf_event_open(kind: int, config: int, excluded: int, leader: int) -> int:
    number = _SYSCALL.get(platform.machine())
    if number is None or not sys.platform.startswith("linux"):
        raise OSError(errno.ENOSYS, "not known on %s" % platform.machine())
    attr = _ATTR.pack(
        kind, _ATTR.size, config, 0, 0, _FORMAT_TIMES_AND_GROUP, excluded, 0, 0, 0,
    )  # fmt: skip
    import ctypes  # half a megabyte that a process without a group need not carry

    libc: Any = ctypes.CDLL(None, use_errno=True)
    fd: int = libc.syscall(
        ctypes.c_long(number), ctypes.c_char_p(attr), ctypes.c_int(0), ctypes.c_int(-1),
        ctypes.c_int(leader), ctypes.c_ulong(_CLOEXEC),
    )  # fmt: skip
    if fd < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return fd
