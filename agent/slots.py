"""A region of numbered slots in a ring: slot `seq % count` holds what was stored as `seq`.

Every slot begins with seq (u64) and the CRC32 (u32) of its body. No byte is trusted: a slot counts
only with the expected seq and a right CRC32.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from struct import Struct
from typing import Any
from zlib import crc32

import numpy as np

from dynoscope_probe import layout

__all__ = ["DETAIL_DTYPE", "RECORD_DTYPE", "Drain", "Rows", "Slots", "slot_dtype"]

SEQ_MAX = 1 << 62
_NUMPY_TYPES = {"B": "u1", "H": "<u2", "I": "<u4", "Q": "<u8"}

Rows = np.ndarray[Any, np.dtype[np.void]]


def slot_dtype(body: Struct, fields: tuple[str, ...], slot_bytes: int) -> np.dtype[np.void]:
    """A slot as a numpy type: seq, crc, then the body's fields at their offsets."""
    formats, offsets = ["<u8", "<u4"], [0, 8]
    at = layout.RECORD_PREFIX.size
    for count, code in re.findall(r"(\d*)([xBHIQ])", body.format):
        for _ in range(int(count or 1)):
            if code != "x":
                formats.append(_NUMPY_TYPES[code])
                offsets.append(at)
            at += 1 if code == "x" else int(_NUMPY_TYPES[code][-1])
    names = ["seq", "crc", *fields]
    return np.dtype(
        {"names": names, "formats": formats, "offsets": offsets, "itemsize": slot_bytes}
    )


RECORD_DTYPE = slot_dtype(layout.RECORD, layout.RECORD_FIELDS, layout.RECORD_BYTES)
#: Any detail; `rest` keeps its bytes for a view as what `type` says that it is.
DETAIL_DTYPE: np.dtype[np.void] = np.dtype(
    [("seq", "<u8"), ("crc", "<u4"), ("type", "u1"), ("rest", f"V{layout.DETAIL_BODY_BYTES - 1}")]
)


@dataclass(frozen=True, slots=True)
class Drain:
    """What one reading of a region gave.

    `records`: structured rows in order of seq. `cursor`: the newest seq that is settled (read,
    dropped or torn). `dropped`: overwritten before they were read.
    """

    records: Rows
    cursor: int
    dropped: int
    torn: int


@dataclass(frozen=True, slots=True)
class Slots:
    """One region. `read(offset, length)` gives exactly so many bytes of the ring's file."""

    read: Callable[[int, int], bytes]
    offset: int
    count: int
    dtype: np.dtype[np.void]
    #: bytes that the CRC32 covers, after seq and CRC32
    body_bytes: int
    #: threads that may be storing at the same time
    threads_max: int

    def drain(self, cursor: int, written: int, *, alive: bool) -> Drain:
        """Slots after `cursor` up to `written` (untrusted), at most one lap.

        Threads number what they store before they store it, so in a live ring one of the newest
        may be a moment late: the drain stops before it and the next one goes on from there.
        """
        if not self._plausible(written):
            written = self._newest_after(cursor)
        if written <= cursor:
            return Drain(np.zeros(0, self.dtype), cursor, 0, 0)
        first = max(cursor + 1, written - self.count + 1)
        records = self.rows(first, written - first + 1)
        expected = np.arange(first, written + 1, dtype=np.uint64)
        late = np.flatnonzero((records["seq"] < expected) & (expected + self.threads_max > written))
        if alive and len(late):
            written = first - 1 + int(late[0])
            records, expected = records[: late[0]], expected[: late[0]]
        here = records["seq"] == expected
        right = here & (self._checksums(records) == records["crc"])
        dropped = first - cursor - 1 + int(np.count_nonzero(~here))
        return Drain(records[right], written, dropped, int(np.count_nonzero(here & ~right)))

    def rows(self, first: int, count: int) -> Rows:
        """`count` slots from seq `first` on, in order of seq, as they are."""
        size, start = self.dtype.itemsize, first % self.count
        head = min(count, self.count - start)
        raw = self.read(self.offset + start * size, head * size)
        if count > head:
            raw += self.read(self.offset, (count - head) * size)
        return np.frombuffer(raw, self.dtype)

    def _plausible(self, written: int) -> bool:
        """Whether the slot of `written` holds it (or a later lap of it, if the writer went on)."""
        if written >= SEQ_MAX:
            return False
        seq = int(self.rows(written, 1)["seq"][0])
        return seq >= written and (seq - written) % self.count == 0

    def _newest_after(self, cursor: int) -> int:
        """The newest whole slot within one lap of `cursor`, where the counter cannot be right."""
        records = self.rows(cursor + 1, self.count)
        seqs = cursor + 1 + np.arange(len(records), dtype=np.uint64)
        whole = (records["seq"] == seqs) & (self._checksums(records) == records["crc"])
        return int(seqs[whole].max()) if whole.any() else cursor

    def _checksums(self, records: Rows) -> np.ndarray[Any, np.dtype[np.uint32]]:
        """CRC32 of each slot's body."""
        raw, size = memoryview(records.tobytes()), self.dtype.itemsize
        start = layout.RECORD_PREFIX.size
        end = start + self.body_bytes
        return np.fromiter(
            (crc32(raw[at + start : at + end]) for at in range(0, len(raw), size)),
            dtype=np.uint32,
            count=len(records),
        )
