"""Writes real rings, with the probe's own writer."""

import os
import time
from pathlib import Path
from zlib import crc32

from agent.namespaces import start_ticks
from dynoscope_probe import layout
from dynoscope_probe.ring import Facts, Ring, open_ring

RECORD_ZERO = dict.fromkeys(layout.RECORD_FIELDS, 0)


def make_ring(
    folder: Path, *, pid: int | None = None, records: int = 1024, details: int = 1024, **facts
) -> Ring:
    """A ring that this process writes; `pid` makes its header name another process."""
    own = os.getpid()
    defaults = {
        "pid": own,
        "worker": 1,
        "pid_namespace": os.stat("/proc/self/ns/pid").st_ino,
        "created_ns": time.time_ns(),
        "process_start_ticks": start_ticks(pid or own, Path("/proc")),
        "unit": 1,
        "service": "shop",
        "host": "web-1",
        "region": "eu",
        "release": "r1",
        "runtime": "cpython 3.11.7",
        "cpu_model": "cpu",
        "unit_reason": "ENOENT",
        "sys_path": "/srv/app",
    }
    ring = open_ring(str(folder), records, Facts(**{**defaults, **facts}), details)
    if pid is not None:
        _rename_process(ring.path, pid)
    return ring


def _rename_process(path: str, pid: int) -> None:
    """The writer writes only for its own process, so the header is changed behind its back."""
    with open(path, "r+b") as file:
        fields = list(layout.HEADER.unpack(file.read(layout.HEADER.size)))
        fields[layout.HEADER_FIELDS.index("pid")] = pid
        header = layout.HEADER.pack(*fields)
        file.seek(0)
        file.write(header + crc32(header).to_bytes(4, "little"))


def packed(**fields: int) -> bytes:
    """A RECORD with these fields, the rest 0 (started now)."""
    values = {**RECORD_ZERO, "started_ns": time.time_ns(), "unit": 1, "status": 200, **fields}
    return layout.RECORD.pack(*(values[name] for name in layout.RECORD_FIELDS))


def write(ring: Ring, count: int, endpoint: str = "GET /feed", **fields: int) -> None:
    """`count` finished requests."""
    _, endpoint_id = ring.endpoint_id(endpoint)
    for _ in range(count):
        ring.write(packed(endpoint_id=endpoint_id, **fields))


def begin(ring: Ring, endpoint: str, started_ns: int) -> int:
    """A request in flight; its slot."""
    slot = ring.claim_slot()
    _, endpoint_id = ring.endpoint_id(endpoint)
    ring.begin(slot, layout.SLOT.pack(1, 7, started_ns, 0, endpoint_id, 0, 5, 6))
    return slot
