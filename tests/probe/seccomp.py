"""Real seccomp filters for a process that is about to be tried: they stay until it ends."""

import ctypes
import os
import platform
import struct

__all__ = ["NUMBERS", "allow_only", "refuse"]

#: System call numbers by machine.
NUMBERS = {
    "x86_64": {
        "read": 0, "write": 1, "mmap": 9, "munmap": 11, "brk": 12, "rt_sigreturn": 15,
        "mremap": 25, "madvise": 28, "getpid": 39, "clock_gettime": 228, "exit_group": 231,
        "getrusage": 98, "perf_event_open": 298,
    },
    "aarch64": {
        "read": 63, "write": 64, "mmap": 222, "munmap": 215, "brk": 214, "rt_sigreturn": 139,
        "mremap": 216, "madvise": 233, "getpid": 172, "clock_gettime": 113, "exit_group": 94,
        "getrusage": 165, "perf_event_open": 241,
    },
}[platform.machine()]  # fmt: skip

_LOAD_NUMBER, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _ERRNO, _KILL_PROCESS = 0x7FFF0000, 0x00050000, 0x80000000
_SET_NO_NEW_PRIVS, _SET_SECCOMP, _FILTER = 38, 22, 2


def refuse(name: str, error: int) -> None:
    """From now on the system call fails with this errno, as in a container's sandbox."""
    _install([(name, _ERRNO | error)], _ALLOW)


def allow_only(*names: str) -> None:
    """From now on any other system call ends the process with SIGSYS."""
    _install([(name, _ALLOW) for name in names], _KILL_PROCESS)


def _install(verdicts: list[tuple[str, int]], otherwise: int) -> None:
    program = struct.pack("<HBBI", _LOAD_NUMBER, 0, 0, 0)
    for name, verdict in verdicts:
        program += struct.pack("<HBBI", _JUMP_IF_EQUAL, 0, 1, NUMBERS[name])
        program += struct.pack("<HBBI", _RETURN, 0, 0, verdict)
    program += struct.pack("<HBBI", _RETURN, 0, 0, otherwise)
    code = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("<HxxxxxxQ", len(program) // 8, ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    for arguments in ((_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (_SET_SECCOMP, _FILTER, header, 0, 0)):
        if libc.prctl(*arguments) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
