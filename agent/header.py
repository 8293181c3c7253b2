"""The ring's file name and header: checked before anything else of a ring is read."""

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

from agent.errors import RingRefused
from dynoscope_probe import layout

__all__ = ["Header", "checked_header", "ring_id_of"]

RECORDS_MAX = 1 << 20
SLOTS_MAX = 1 << 14
STRINGS_BYTES_MAX = 64 << 20
_NAME = re.compile(r"\d+-([0-9a-f]{16})\.ring")


@dataclass(frozen=True, slots=True)
class Header:
    """The fixed part of a ring, in the order of `layout.HEADER_FIELDS`; `*_id` are string ids."""

    magic: bytes
    version: int
    header_bytes: int
    ring_id: int
    pid: int
    worker: int
    pid_namespace: int
    created_ns: int
    process_start_ticks: int
    strings_offset: int
    strings_bytes: int
    slots_offset: int
    slot_count: int
    records_offset: int
    record_count: int
    unit: int
    service_id: int
    host_id: int
    region_id: int
    release_id: int
    runtime_id: int
    cpu_model_id: int
    unit_reason_id: int
    sys_path_id: int
    details_offset: int
    details_count: int


def checked_header(path: Path, fd: int) -> Header:
    """Read and check a header; raises `RingRefused` with the reason."""
    info = os.fstat(fd)
    if not stat.S_ISREG(info.st_mode) or info.st_size < layout.HEADER_BYTES:
        raise RingRefused(f"{path}: too short for a ring, or not a file")
    raw = os.pread(fd, layout.HEADER_BYTES, 0).ljust(layout.HEADER_BYTES, b"\0")
    size = layout.HEADER.size
    header = Header(*layout.HEADER.unpack_from(raw))
    if header.magic != layout.MAGIC:
        raise RingRefused(f"{path}: not a ring")
    if header.version != layout.VERSION:
        raise RingRefused(f"{path}: ring version {header.version}, known: {layout.VERSION}")
    if crc32(raw[:size]) != int.from_bytes(raw[size : size + 4], "little"):
        raise RingRefused(f"{path}: header with a wrong checksum")
    areas = (
        (header.strings_offset, header.strings_bytes, 1, STRINGS_BYTES_MAX),
        (header.slots_offset, header.slot_count, layout.SLOT_BYTES, SLOTS_MAX),
        (header.records_offset, header.record_count, layout.RECORD_BYTES, RECORDS_MAX),
        (header.details_offset, header.details_count, layout.DETAIL_BYTES, RECORDS_MAX),
    )
    for offset, count, each, most in areas:
        if offset < layout.HEADER_BYTES or count > most or offset + count * each > info.st_size:
            raise RingRefused(f"{path}: an area of the header lies outside the file")
    if header.record_count == 0 or header.details_count == 0:
        raise RingRefused(f"{path}: a ring without slots")
    return header


def ring_id_of(name: str) -> int | None:
    """The ring id in a ring's file name; None for another name."""
    match = _NAME.fullmatch(name)
    return int(match[1], 16) if match else None
