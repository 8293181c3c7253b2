"""The compiled shim, by ctypes. Without it (no compiler) clocks and random bytes are not still."""

from __future__ import annotations

import ctypes
from typing import Any

__all__ = ["Shim"]


class Shim:
    """The functions of shim.c."""

    def __init__(self, path: str) -> None:
        """`path` is the library, which is preloaded too; empty for none."""
        self.library: Any = ctypes.PyDLL(path) if path else None
        if self.library is not None:
            self.library.gate_freeze.argtypes = [ctypes.c_int64, ctypes.c_uint64]
            self.library.gate_dump.argtypes = [ctypes.c_char_p]
            self.library.gate_name.argtypes = [ctypes.py_object, ctypes.c_int]

    def freeze(self, start_us: int, seed: int) -> None:
        """The calendar clock stands at `start_us`, os.urandom repeats from `seed`."""
        if self.library is not None:
            self.library.gate_freeze(start_us, seed)

    def rewind(self) -> None:
        """Clock and random bytes back to their start."""
        if self.library is not None:
            self.library.gate_rewind()
