"""Loops of known length: one whose instructions are known to the last, one in Python."""

import ctypes
import mmap

__all__ = ["machine_loop", "python_loop", "while_loop"]

#: subs x0, x0, #1; b.ne back; ret
_CODE = (0xF1000400, 0x54FFFFE1, 0xD65F03C0)

_page = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
_page.write(b"".join(word.to_bytes(4, "little") for word in _CODE))
_address = ctypes.addressof(ctypes.c_char.from_buffer(_page))
#: Two instructions a pass; the interpreter lock is given up meanwhile.
machine_loop = ctypes.CFUNCTYPE(None, ctypes.c_uint64)(_address)


def python_loop(passes):
    total = 0
    for number in range(passes):
        total += number & 3
    return total


def while_loop(passes):
    """In CPython 3.11 this jumps back by a condition only, which does not warm its code up."""
    number = 0
    while number < passes:
        number += 1
