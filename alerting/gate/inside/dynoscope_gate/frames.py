"""Which Python functions the requests run, and a machine-code function for each of them."""

from __future__ import annotations

import ctypes
import os
import sys
from types import CodeType, FrameType
from typing import Any

from .requests import Rounds
from .shim import Shim

__all__ = ["NAMES_MAX", "discover", "name_frames"]

NAMES_MAX = 1024
#: Where a frame keeps its code object: from 3.12 first, before behind three or four pointers.
_CODE_AT = 0 if sys.version_info >= (3, 12) else 32


def discover(rounds: Rounds, folder: str, own_only: bool) -> dict[str, list[CodeType]]:
    """{`module:qualname`: [code, ...]} of the functions that a round calls.

    The names have no line numbers, so that they survive edits above them.
    """
    named: dict[str, list[CodeType]] = {}
    root = os.path.realpath(folder) + os.sep

    def see(frame: FrameType, event: str, argument: Any) -> None:
        if event == "call":
            code = frame.f_code
            if not own_only or _is_own(code.co_filename, root):
                module = frame.f_globals.get("__name__", "?")
                name = f"{module}:{getattr(code, 'co_qualname', code.co_name)}"
                codes = named.setdefault(name, [])
                if not any(code is known for known in codes):
                    codes.append(code)

    sys.setprofile(see)
    try:
        rounds.run()
    finally:
        sys.setprofile(None)
    return {name: codes for name, codes in named.items() if not name.startswith("dynoscope_gate.")}


def _is_own(filename: str, root: str) -> bool:
    if filename.startswith("<"):  # frozen modules, exec
        return False
    path = os.path.realpath(filename)
    return path.startswith(root) and f"{os.sep}site-packages{os.sep}" not in path


def name_frames(shim: Shim, named: dict[str, list[CodeType]], chosen: list[str]) -> int:
    """Each chosen function runs through a C function of its own; how many found no room."""
    library: Any = shim.library
    missed = max(0, len(chosen) - NAMES_MAX)
    for number, name in enumerate(chosen[:NAMES_MAX]):
        for code in named[name]:
            if not library.gate_name(code, number):
                missed += 1
    api = ctypes.pythonapi
    api.PyInterpreterState_Get.restype = ctypes.c_void_p
    library.gate_hook(
        api._PyInterpreterState_SetEvalFrameFunc,
        ctypes.c_void_p(api.PyInterpreterState_Get()),
        api._PyEval_EvalFrameDefault,
        _CODE_AT,
    )
    return missed
