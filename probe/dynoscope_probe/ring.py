"""Writer of the ring: one file per process, laid out as layout.py says.

Memory is allocated when the file is made, so a full /dev/shm is an OSError here and never a SIGBUS
in a request. A record is packed first and stored by one slice assignment, which holds the
interpreter lock throughout.
"""

from __future__ import annotations

import itertools
import mmap
import os
import stat
import threading
from binascii import crc32
from collections import deque
from dataclasses import dataclass
from struct import Struct

from dynoscope_probe import layout

__all__ = ["NO_SLOT", "Facts", "Ring", "open_ring"]

STRINGS_BYTES = 512 * 1024
#: What statements and errors may fill; the rest is for endpoints and flags.
BULKY_BYTES = STRINGS_BYTES * 3 // 4
SLOT_COUNT = 128
DETAIL_COUNT = 8192
#: `thread_slot` of a record whose thread found no slot free.
NO_SLOT = 255
ENDPOINTS_MAX = 2000
OTHER_ENDPOINT = "(other)"
#: Longest wait for another thread that is adding a string: that takes some microseconds once it has
#: the interpreter, for which it queues behind all busy threads. After a wait in vain nobody waits
#: until the lock was had again. Strings that were not added are counted.
STRING_WAIT_S = 0.5

_COUNTER_AT = {
    name: layout.COUNTERS_OFFSET + 8 * number for number, name in enumerate(layout.COUNTER_NAMES)
}
_U64 = Struct("<Q")
_DETAILS_WRITTEN_AT = _COUNTER_AT["details_written"]
_IDLE = b"\0\0\0\0"
_RECORD_END = layout.RECORD_PREFIX.size + layout.RECORD.size


@dataclass(frozen=True)
class Facts:
    """What the header says of the process."""

    pid: int
    worker: int
    pid_namespace: int
    created_ns: int
    process_start_ticks: int
    unit: int
    service: str
    host: str
    region: str
    release: str
    runtime: str
    cpu_model: str
    unit_reason: str
    sys_path: str


class Ring:
    """One open ring, for all threads of the process that made it.

    A forked child holds it, too, and must not write: `string_id` and `count` see to that
    themselves; callers of `write`, `write_detail`, `begin` and `end` compare pids once for all.
    """

    def __init__(
        self,
        memory: mmap.mmap,
        ring_id: int,
        record_count: int,
        path: str,
        pid: int,
        detail_count: int,
    ) -> None:
        self.ring_id = ring_id
        self.pid = pid
        self.path = path
        self._memory = memory
        self._record_count = record_count
        self._records_at = _records_offset()
        self._next_seq = itertools.count(1)
        self._newest = 0
        self._detail_count = detail_count
        self._details_at = _details_offset(record_count)
        self._next_detail = itertools.count(1)
        self._newest_detail = 0
        self._strings: dict[str, int] = {}
        self._strings_used = 0
        self._string_lock = threading.Lock()
        #: The thread that is adding a string; 0: none.
        self._string_thread = 0
        self._string_wait_s = STRING_WAIT_S
        self._endpoints: dict[str, int] = {}
        self._free_slots = deque(range(SLOT_COUNT))
        self._counts = dict.fromkeys(layout.COUNTER_NAMES, 0)
        #: The process's sys.path as the header has it.
        self.sys_path = ""
        start = layout.CONTROL_OFFSET
        #: The head of the agent's wish as one number, looked at in every request.
        self.control = memoryview(memory)[start : start + layout.CONTROL_HEAD_BYTES].cast("Q")

    def control_words(self) -> bytes:
        """What the agent wrote: bytes to be checked."""
        return self._memory[layout.CONTROL_OFFSET : layout.CONTROL_OFFSET + layout.CONTROL_BYTES]

    def places(self) -> tuple[int, int, int, int, int, int]:
        """Where the compiled part writes: slots at, slots, records at, records, newest seq at; and
        where it reads the agent's wish."""
        return (
            layout.HEADER_BYTES + STRINGS_BYTES,
            SLOT_COUNT,
            self._records_at,
            self._record_count,
            _COUNTER_AT["written"],
            layout.CONTROL_OFFSET,
        )

    def write(self, body: bytes) -> None:
        """Store one packed RECORD under the next seq."""
        crc = crc32(body)
        seq = next(self._next_seq)
        at = self._records_at + seq % self._record_count * layout.RECORD_BYTES
        self._memory[at : at + _RECORD_END] = layout.RECORD_PREFIX.pack(seq, crc) + body
        if seq > self._newest:  # no call in between: no other thread comes in between either
            self._newest = seq
        _U64.pack_into(self._memory, layout.COUNTERS_OFFSET, self._newest)

    def write_detail(self, body: bytes) -> None:
        """Store one packed SPAN or FUNCTION_COST under the next seq of the details."""
        crc = crc32(body)
        seq = next(self._next_detail)
        at = self._details_at + seq % self._detail_count * layout.DETAIL_BYTES
        self._memory[at : at + layout.DETAIL_BYTES] = layout.DETAIL_PREFIX.pack(seq, crc) + body
        if seq > self._newest_detail:
            self._newest_detail = seq
        _U64.pack_into(self._memory, _DETAILS_WRITTEN_AT, self._newest_detail)

    def begin(self, slot: int, fields: bytes) -> None:
        """Mark what is in flight in a slot: a packed SLOT."""
        at = layout.HEADER_BYTES + STRINGS_BYTES + slot * layout.SLOT_BYTES
        self._memory[at : at + layout.SLOT_BYTES] = fields

    def end(self, slot: int) -> None:
        """Nothing is in flight in the slot any more."""
        at = layout.HEADER_BYTES + STRINGS_BYTES + slot * layout.SLOT_BYTES
        self._memory[at : at + 4] = _IDLE

    def claim_slot(self) -> int:
        """A free in-flight slot, or NO_SLOT (counted)."""
        try:
            return self._free_slots.popleft()
        except IndexError:
            self.count("slots_full")
            return NO_SLOT

    def release_slot(self, slot: int) -> None:
        """Hand a slot back (its thread has ended)."""
        if slot != NO_SLOT:
            self.end(slot)
            self._free_slots.append(slot)

    def endpoint_id(self, name: str) -> tuple[str, int]:
        """(name as kept, its string id): past ENDPOINTS_MAX it is `(other)`, and counted."""
        known = self._endpoints.get(name)
        if known is not None:
            return name, known
        if len(self._endpoints) >= ENDPOINTS_MAX:
            self.count("endpoints_over")
            name = OTHER_ENDPOINT
        self._endpoints[name] = string_id = self.string_id(name)
        return name, string_id

    def string_id(self, text: str, bulky: bool = False) -> int:
        """Id of a text in the string table; 0 if it found no room (counted)."""
        known = self._strings.get(text)
        if known is not None:
            return known
        if os.getpid() != self.pid:  # a forked child must not write into its parent's ring
            return 0
        if not self._may_add_string():
            self.count("strings_full")
            return 0
        try:
            self._string_thread = threading.get_ident()
            return self._strings.get(text) or self._add_string(text, bulky)
        finally:
            self._string_thread = 0
            self._string_lock.release()

    def count(self, name: str, by: int = 1) -> None:
        """Add to one of the ring's counters."""
        if os.getpid() != self.pid:
            return
        self._counts[name] += by
        _U64.pack_into(self._memory, _COUNTER_AT[name], self._counts[name])

    def close(self) -> None:
        """Unmap; the file stays for the agent."""
        self.control.release()
        self._memory.close()

    def _may_add_string(self) -> bool:
        """Take the lock. Not for a signal handler or a finaliser that interrupts its own thread
        while that one adds a string: it would wait in vain."""
        if self._string_thread == threading.get_ident():
            return False
        had = self._string_lock.acquire(timeout=self._string_wait_s)
        self._string_wait_s = STRING_WAIT_S if had else 0.0
        return had

    def _add_string(self, text: str, bulky: bool) -> int:
        data = _at_most(text, layout.STRING_BYTES_MAX)
        entry = layout.STRING_PREFIX.pack(crc32(data), len(data)) + data
        end = self._strings_used + len(entry)
        if end > (BULKY_BYTES if bulky else STRINGS_BYTES):
            self.count("strings_full")
            return 0
        at = layout.HEADER_BYTES + self._strings_used
        self._memory[at : at + len(entry)] = entry
        self._strings_used = end
        _U64.pack_into(self._memory, _COUNTER_AT["strings_used"], end)
        self._strings[text] = string_id = len(self._strings) + 1
        return string_id


def open_ring(
    directory: str, record_count: int, facts: Facts, detail_count: int = DETAIL_COUNT
) -> Ring:
    """Make this process's ring; raises OSError where the folder or the memory cannot be had.

    The file gets its name once its header is whole. It is this user's alone, unless the folder
    hands on its group (set-group-id): then the group, the agent's, may read and write it, too.
    """
    os.makedirs(directory, mode=0o700, exist_ok=True)
    shared = os.stat(directory).st_mode & stat.S_ISGID
    ring_id = int.from_bytes(os.urandom(8), "little") or 1
    path = os.path.join(directory, "%d-%016x.ring" % (facts.pid, ring_id))
    unfinished = path + ".new"
    flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
    fd = os.open(unfinished, flags, 0o600)
    try:
        if shared:
            os.fchmod(fd, 0o660)
        size = _details_offset(record_count) + detail_count * layout.DETAIL_BYTES
        os.posix_fallocate(fd, 0, size)
        ring = Ring(mmap.mmap(fd, size), ring_id, record_count, path, facts.pid, detail_count)
        ring.sys_path = facts.sys_path
        _write_header(ring, facts, record_count, detail_count)
        os.rename(unfinished, path)
    except BaseException:
        os.unlink(unfinished)
        raise
    finally:
        os.close(fd)
    return ring


def _write_header(ring: Ring, facts: Facts, record_count: int, detail_count: int) -> None:
    header = layout.HEADER.pack(
        layout.MAGIC,
        layout.VERSION,
        layout.HEADER_BYTES,
        ring.ring_id,
        facts.pid,
        facts.worker,
        facts.pid_namespace,
        facts.created_ns,
        facts.process_start_ticks,
        layout.HEADER_BYTES,
        STRINGS_BYTES,
        layout.HEADER_BYTES + STRINGS_BYTES,
        SLOT_COUNT,
        _records_offset(),
        record_count,
        facts.unit,
        ring.string_id(facts.service),
        ring.string_id(facts.host),
        ring.string_id(facts.region),
        ring.string_id(facts.release),
        ring.string_id(facts.runtime),
        ring.string_id(facts.cpu_model),
        ring.string_id(facts.unit_reason),
        ring.string_id(facts.sys_path),
        _details_offset(record_count),
        detail_count,
    )
    data = header + crc32(header).to_bytes(4, "little")
    ring._memory[: len(data)] = data


def _records_offset() -> int:
    end = layout.HEADER_BYTES + STRINGS_BYTES + SLOT_COUNT * layout.SLOT_BYTES
    return -(-end // mmap.PAGESIZE) * mmap.PAGESIZE


def _details_offset(record_count: int) -> int:
    return _records_offset() + record_count * layout.RECORD_BYTES


def _at_most(text: str, length: int) -> bytes:
    """UTF-8 of the text, cut at a whole character and at a whole line where there are several."""
    data = text.encode("utf-8", "replace")
    if len(data) <= length:
        return data
    cut = data[:length].decode("utf-8", "ignore")
    return (cut.rpartition("\n")[0] or cut).encode()
