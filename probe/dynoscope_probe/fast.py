"""Chooses the compiled part (`_fast`) where it was built; pure Python does the same, more slowly.

What is compiled is what every request passes through: `request.begin_request`, `Request.end`, the
middleware's call, and what Django's handlers ask of django_routes.py. All else is borrowed from the
Python classes, so that there is one of it.
"""

from __future__ import annotations

import os
from time import thread_time_ns
from typing import Any, Callable

from dynoscope_probe import layout

__all__ = ["compiled", "compiled_class", "knows_slots", "thread_clock"]

#: As in fast.h.
INTERFACE = 4
_OFF = ("0", "false", "no", "off")


def compiled() -> Any:
    """The compiled module; None: it was not built, does not fit, or DYNOSCOPE_FAST=0."""
    if os.environ.get("DYNOSCOPE_FAST", "").lower() in _OFF:
        return None
    try:
        from dynoscope_probe import _fast
    except ImportError:
        return None
    if getattr(_fast, "INTERFACE", 0) != INTERFACE:
        return None  # built from the sources of another version
    formats = (_fast.RECORD_FORMAT, _fast.SLOT_FORMAT, _fast.PREFIX_FORMAT)
    if formats != (layout.RECORD.format, layout.SLOT.format, layout.RECORD_PREFIX.format):
        return None
    return _fast


def thread_clock() -> Callable[[], int]:
    """CPU time (ns) of the thread that is to read it, as cheap as can be had: for a profiler."""
    part = compiled()
    read: Callable[[], int] = thread_time_ns if part is None else part.ThreadClock().read
    return read


def knows_slots(base: type, plain: type) -> bool:
    """Whether a compiled class has all slots of the Python class that it replaces."""
    return set(dir(base)).issuperset(getattr(plain, "__slots__", ()))


def compiled_class(base: type, plain: type, **more: Any) -> type:
    """`plain` on top of a compiled class, which replaces the attributes that it has itself."""
    own = set(dir(base))
    kept = {name: value for name, value in vars(plain).items() if name not in own}
    kept.pop("__weakref__", None)
    names = {"__doc__": plain.__doc__, "__module__": plain.__module__, "__slots__": ()}
    if "__dict__" in kept:  # its instances have attributes of their own
        del kept["__dict__"], names["__slots__"]
        if "__init__" in vars(plain):
            kept["__init__"] = plain.__init__  # type: ignore[misc]
    return type(plain.__name__, (base,), {**kept, **names, **more})
