"""Reads one ring: header, string table, records since a cursor, requests in flight.

The file is read with `pread`, never mapped: a worker that truncates its ring cannot kill the
agent, and ring pages do not count as the agent's memory. No byte is trusted: lengths are bounded
before they are used, a record counts only with the expected seq and a right CRC32.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

from agent.errors import RingRefused
from agent.header import Header, checked_header, ring_id_of
from dynoscope_probe import layout

__all__ = [
    "RECORD_DTYPE",
    "Drain",
    "Header",
    "InFlight",
    "Ring",
    "Records",
    "open_ring",
    "ring_id_of",
]

SEQ_MAX = 1 << 62
_NUMPY_TYPES = {"B": "u1", "H": "<u2", "I": "<u4", "Q": "<u8"}

Records = np.ndarray[Any, np.dtype[np.void]]


def _record_dtype() -> np.dtype[np.void]:
    """The record slot as a numpy type: seq, crc, then RECORD_FIELDS at their offsets."""
    formats, offsets = ["<u8", "<u4"], [0, 8]
    at = layout.RECORD_PREFIX.size
    for count, code in re.findall(r"(\d*)([xBHIQ])", layout.RECORD.format):
        for _ in range(int(count or 1)):
            if code != "x":
                formats.append(_NUMPY_TYPES[code])
                offsets.append(at)
            at += 1 if code == "x" else int(_NUMPY_TYPES[code][-1])
    names = ["seq", "crc", *layout.RECORD_FIELDS]
    return np.dtype(
        {
            "names": names,
            "formats": formats,
            "offsets": offsets,
            "itemsize": layout.RECORD_BYTES,
        }
    )


RECORD_DTYPE = _record_dtype()


@dataclass(frozen=True, slots=True)
class Drain:
    """What one reading of a ring gave.

    `records`: structured rows of RECORD_DTYPE in order of seq. `cursor`: the newest seq that is
    settled (read, dropped or torn). `dropped`: overwritten before they were read.
    """

    records: Records
    cursor: int
    dropped: int
    torn: int


@dataclass(frozen=True, slots=True)
class InFlight:
    """A request that a thread has begun and not finished; fields of `layout.SLOT_FIELDS`."""

    slot: int
    started_ns: int
    endpoint_id: int
    kind: int
    trace_id_high: int
    trace_id_low: int


class Ring:
    """One open ring. `strings[id - 1]` is the text of a string id; "" where it was unreadable."""

    __slots__ = ("_fd", "_strings_at", "header", "path", "strings", "strings_torn")

    def __init__(self, path: Path, fd: int, header: Header) -> None:
        self.path = path
        self.header = header
        self.strings: list[str] = []
        self.strings_torn = 0
        self._fd = fd
        self._strings_at = 0

    def close(self) -> None:
        """Release the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def string(self, string_id: int) -> str:
        """Text of a string id; "" for 0 and for what is not (or not rightly) in the table."""
        return self.strings[string_id - 1] if 0 < string_id <= len(self.strings) else ""

    def counters(self) -> dict[str, int]:
        """`layout.COUNTER_NAMES` -> number; zeros where the file is too short."""
        raw = self._read(layout.COUNTERS_OFFSET, layout.COUNTERS.size)
        return dict(zip(layout.COUNTER_NAMES, layout.COUNTERS.unpack(raw), strict=True))

    def read_strings(self, used: int) -> None:
        """Take in what the string table gained; `used` is the ring's own (untrusted) count."""
        end = min(used, self.header.strings_bytes)
        raw = self._read(self.header.strings_offset + self._strings_at, end - self._strings_at)
        at, prefix = 0, layout.STRING_PREFIX
        while at + prefix.size <= len(raw):
            crc, length = prefix.unpack_from(raw, at)
            text = raw[at + prefix.size : at + prefix.size + length]
            if len(text) < length:
                break
            right = crc32(text) == crc
            self.strings.append(text.decode("utf-8", "replace") if right else "")
            self.strings_torn += not right
            at += prefix.size + length
        self._strings_at += at

    def drain(self, cursor: int, written: int, *, alive: bool) -> Drain:
        """Records after `cursor` up to `written` (untrusted), at most one ring full.

        Threads number their records before they store them, so in a live ring one of the newest
        may be a moment late: the drain stops before it and the next one goes on from there.
        """
        count = self.header.record_count
        if not self._plausible(written):
            written = self._newest_after(cursor)
        if written <= cursor:
            return Drain(np.zeros(0, RECORD_DTYPE), cursor, 0, 0)
        first = max(cursor + 1, written - count + 1)
        records = np.frombuffer(self._read_slots(first, written - first + 1), RECORD_DTYPE)
        expected = np.arange(first, written + 1, dtype=np.uint64)
        late = np.flatnonzero(
            (records["seq"] < expected) & (expected + self.header.slot_count > written)
        )
        if alive and len(late):
            written = first - 1 + int(late[0])
            records, expected = records[: late[0]], expected[: late[0]]
        here = records["seq"] == expected
        right = here & (_checksums(records) == records["crc"])
        dropped = first - cursor - 1 + int(np.count_nonzero(~here))
        return Drain(records[right], written, dropped, int(np.count_nonzero(here & ~right)))

    def in_flight(self) -> list[InFlight]:
        """Requests begun and not ended. Sense only once the worker is dead: it may be writing."""
        size = layout.SLOT_BYTES
        raw = self._read(self.header.slots_offset, self.header.slot_count * size)
        found = []
        for slot in range(self.header.slot_count):
            fields = layout.SLOT.unpack_from(raw, slot * size)
            busy, _, started_ns, _, endpoint_id, kind, high, low = fields
            if busy == 1 and started_ns and kind < len(layout.KINDS):
                found.append(InFlight(slot, started_ns, endpoint_id, kind, high, low))
        return found

    def has_record(self, slot: int, started_ns: int) -> bool:
        """Whether the request that a slot names was finished and recorded all the same."""
        records = np.frombuffer(self._read_slots(0, self.header.record_count), RECORD_DTYPE)
        same = (records["started_ns"] == started_ns) & (records["thread_slot"] == slot)
        return bool(np.any(same & (records["seq"] > 0)))

    def _plausible(self, written: int) -> bool:
        """Whether the slot of `written` holds it (or a later lap of it, if the writer went on)."""
        if written >= SEQ_MAX:
            return False
        raw = self._read_slots(written, 1)
        seq = layout.RECORD_PREFIX.unpack_from(raw)[0]
        return bool(seq >= written and (seq - written) % self.header.record_count == 0)

    def _newest_after(self, cursor: int) -> int:
        """The newest whole record within one lap of `cursor`, where the counter cannot be right."""
        records = np.frombuffer(
            self._read_slots(cursor + 1, self.header.record_count), RECORD_DTYPE
        )
        seqs = cursor + 1 + np.arange(len(records), dtype=np.uint64)
        whole = (records["seq"] == seqs) & (_checksums(records) == records["crc"])
        return int(seqs[whole].max()) if whole.any() else cursor

    def _read_slots(self, first: int, count: int) -> bytes:
        """`count` record slots from seq `first` on, in order of seq."""
        slots, size = self.header.record_count, layout.RECORD_BYTES
        start = first % slots
        head = min(count, slots - start)
        at = self.header.records_offset
        raw = self._read(at + start * size, head * size)
        return raw + self._read(at, (count - head) * size) if count > head else raw

    def _read(self, offset: int, length: int) -> bytes:
        """Exactly `length` bytes; zeros where the file ends early."""
        if length <= 0:
            return b""
        raw = os.pread(self._fd, length, offset)
        return raw if len(raw) == length else raw.ljust(length, b"\0")


def open_ring(path: Path) -> Ring:
    """Open and check a ring; raises `RingRefused` with the reason (one clause)."""
    ring_id = ring_id_of(path.name)
    if ring_id is None:
        raise RingRefused(f"{path}: not named <pid>-<ring id>.ring")
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise RingRefused(f"{path}: {error.strerror}") from error
    try:
        header = checked_header(path, fd)
        if header.ring_id != ring_id:
            raise RingRefused(f"{path}: the header names another ring")
        return Ring(path, fd, header)
    except BaseException:
        os.close(fd)
        raise


def _checksums(records: Records) -> np.ndarray[Any, np.dtype[np.uint32]]:
    """CRC32 of each record's RECORD part."""
    raw, size = memoryview(records.tobytes()), layout.RECORD_BYTES
    start, end = layout.RECORD_PREFIX.size, layout.RECORD_PREFIX.size + layout.RECORD.size
    return np.fromiter(
        (crc32(raw[at + start : at + end]) for at in range(0, len(raw), size)),
        dtype=np.uint32,
        count=len(records),
    )
