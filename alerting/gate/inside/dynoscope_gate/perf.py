"""The hardware's instruction counter of this thread."""

from __future__ import annotations

import ctypes
import os
import platform
import struct

__all__ = ["Instructions"]

_CALLS = {"x86_64": 298, "aarch64": 241}
_EXCLUDE_KERNEL_AND_HYPERVISOR = 1 << 5 | 1 << 6
_TIMES = 1 | 2  # read time enabled and time running, too
_SIZE = 112


class Instructions:
    """Counts user-space instructions while open; raises OSError where there is no counter."""

    def __enter__(self) -> Instructions:
        number = _CALLS.get(platform.machine())
        if number is None:
            raise OSError("no instruction counter is known for " + platform.machine())
        event = struct.pack(
            "=IIQQQQQ", 0, _SIZE, 1, 0, 0, _TIMES, _EXCLUDE_KERNEL_AND_HYPERVISOR
        ).ljust(_SIZE, b"\0")
        libc = ctypes.CDLL(None, use_errno=True)
        self.fd = libc.syscall(number, event, 0, -1, -1, 8)  # 8: close on exec
        if self.fd < 0:
            error = ctypes.get_errno()
            raise OSError(error, "perf_event_open: " + os.strerror(error))
        return self

    def read(self) -> int:
        """Instructions since it was opened; a counter shared with others raises."""
        count, enabled, running = struct.unpack("=QQQ", os.read(self.fd, 24))
        if enabled != running:
            raise OSError("another profiler shares the instruction counter")
        return int(count)

    def __exit__(self, *error: object) -> None:
        os.close(self.fd)
