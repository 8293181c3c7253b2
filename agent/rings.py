"""Reads one ring: header, strings, records and details since a cursor, requests in flight.

The file is read with `pread`, never mapped: a worker that truncates its ring cannot kill the
agent, and ring pages do not count as the agent's memory. No byte is trusted: lengths are bounded
before they are used.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import numpy as np

from agent.errors import RingRefused
from agent.header import Header, checked_header, ring_id_of
from agent.slots import DETAIL_DTYPE, RECORD_DTYPE, Drain, Slots
from dynoscope_probe import layout

__all__ = ["Header", "InFlight", "Ring", "open_ring", "ring_id_of"]


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

    __slots__ = (
        "_details", "_fd", "_records", "_strings_at", "header", "path", "strings", "strings_torn",
    )  # fmt: skip

    def __init__(self, path: Path, fd: int, header: Header) -> None:
        self.path = path
        self.header = header
        self.strings: list[str] = []
        self.strings_torn = 0
        self._fd = fd
        self._strings_at = 0
        threads_max = header.slot_count
        self._records = Slots(
            self._read, header.records_offset, header.record_count, RECORD_DTYPE,
            layout.RECORD.size, threads_max,
        )  # fmt: skip
        self._details = Slots(
            self._read, header.details_offset, header.details_count, DETAIL_DTYPE,
            layout.DETAIL_BODY_BYTES, threads_max,
        )  # fmt: skip

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
        """Records after `cursor` up to `written` (untrusted): rows of RECORD_DTYPE."""
        return self._records.drain(cursor, written, alive=alive)

    def drain_details(self, cursor: int, written: int, *, alive: bool) -> Drain:
        """Details after `cursor` up to `written` (untrusted): rows of DETAIL_DTYPE."""
        return self._details.drain(cursor, written, alive=alive)

    def write_control(self, words: bytes) -> None:
        """Replace the control words, the only bytes that the agent writes; raises OSError.

        The head comes last and in one go, since the worker looks at the rest once it has changed.
        """
        head, at = layout.CONTROL_HEAD_BYTES, layout.CONTROL_OFFSET
        fd = os.open(f"/proc/self/fd/{self._fd}", os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.pwrite(fd, words[head:], at + head)
            os.pwrite(fd, words[:head], at)
        finally:
            os.close(fd)

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

    def threads(self) -> int:
        """How many threads have served requests so far (as many as there were slots for)."""
        size = layout.SLOT_BYTES
        raw = self._read(self.header.slots_offset, self.header.slot_count * size)
        thread_ids = np.frombuffer(raw, "<u4").reshape(-1, size // 4)[:, 1]
        return int(np.count_nonzero(thread_ids))

    def has_record(self, slot: int, started_ns: int) -> bool:
        """Whether the request that a slot names was finished and recorded all the same."""
        records = self._records.rows(0, self.header.record_count)
        same = (records["started_ns"] == started_ns) & (records["thread_slot"] == slot)
        return bool(np.any(same & (records["seq"] > 0)))

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
