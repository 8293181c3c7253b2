"""Rings of dead workers that no agent came for: only the newest are kept, memory is bounded."""

from __future__ import annotations

import os
import struct
from contextlib import suppress
from typing import Optional

from dynoscope_probe import layout
from dynoscope_probe.identity import process_start_ticks

__all__ = ["remove_leftovers"]

LEFTOVERS_MAX = 64
#: A half-made ring is a leftover, too, once its maker is gone.
_ENDINGS = (".ring", ".ring.new")


def remove_leftovers(directory: str, pid_namespace: int, keep: int = LEFTOVERS_MAX) -> int:
    """Remove all but the newest `keep` rings of processes that ended; how many went.

    Rings of another pid namespace are left alone: whether their worker lives cannot be seen.
    """
    names = [name for name in os.listdir(directory) if name.endswith(_ENDINGS)]
    if len(names) <= keep:
        return 0
    paths = [os.path.join(directory, name) for name in names]
    dead = sorted(filter(None, (_made_ns_if_dead(path, pid_namespace) for path in paths)))
    gone = dead[: max(0, len(dead) - keep)]
    for _, path in gone:
        with suppress(OSError):  # another worker was faster
            os.unlink(path)
    return len(gone)


def _made_ns_if_dead(path: str, pid_namespace: int) -> Optional[tuple[int, str]]:
    """(when the ring was made, path) if the process that made it has ended."""
    try:
        with open(path, "rb") as file:
            values = layout.HEADER.unpack(file.read(layout.HEADER.size))
    except (OSError, ValueError, struct.error):
        return None
    field = layout.HEADER_FIELDS.index
    alive = process_start_ticks(values[field("pid")]) == values[field("process_start_ticks")]
    elsewhere = values[field("pid_namespace")] != pid_namespace
    if values[field("magic")] != layout.MAGIC or elsewhere or alive:
        return None
    return values[field("created_ns")], path
