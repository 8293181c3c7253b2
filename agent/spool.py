"""The disk spool: what was measured and not yet acknowledged.

One file a flush, ``<number>-<created ms>.spool``: a JSON header (u32 length, then text) with the
cursors and the sections, then the sections' bytes. It is written under another name, synced and
renamed, so one rename commits the rows together with how far each ring was read. A file whose
sections are all settled becomes ``.sent``; the newest file of either kind holds the cursors and
is never removed, so there is no second place where they could differ.
"""

import fcntl
import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from struct import Struct
from struct import error as StructError
from typing import Any
from uuid import uuid4

from agent.errors import AgentError, SpoolFailed
from agent.limits import Limits

__all__ = ["Cursor", "Entry", "Section", "Spool", "SpoolFile"]

_LENGTH = Struct("<I")
REJECTED_BYTES_MAX = 64 << 20


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a ring was read: newest settled seq, its own counters of losses so far, newest
    settled seq of its details."""

    seq: int
    counters: dict[str, int]
    details: int = 0


@dataclass(frozen=True, slots=True)
class Section:
    """One batch: `body` is an Arrow IPC stream of `rows` rows of `table`."""

    table: str
    rows: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a batch lies in a spool file."""

    table: str
    batch_id: str
    rows: int
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class SpoolFile:
    """A committed file and what is in it. `before_start`: an earlier process wrote it."""

    path: Path
    entries: tuple[Entry, ...]
    before_start: bool


class Spool:
    """A folder that one agent owns. One thread commits, one thread reads and settles."""

    def __init__(
        self,
        folder: Path,
        limits: Limits,
        *,
        bytes_max: int = 512 << 20,
        age_s_max: int = 86_400,
        wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self.folder = folder
        self.rejected = folder / "rejected"
        self._limits = limits
        self._bytes_max = bytes_max
        self._age_s_max = age_s_max
        self._wall_ms = wall_ms
        try:
            self.rejected.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = _locked(folder)
        except OSError as error:
            raise AgentError(f"spool folder {folder}: {error.strerror}; name another") from error
        for left in folder.glob("*.part"):
            left.unlink()
        self._number = max((_number(path) for path in self._files()), default=0)
        self._first_own = self._number + 1

    def cursors(self) -> dict[int, Cursor]:
        """Ring id -> cursor, as of the newest committed file that can be read."""
        for path in sorted(self._files(), key=_number, reverse=True):
            header = _header(path)
            if header is not None:
                return {
                    int(ring, 16): Cursor(one["seq"], one["counters"], one.get("details", 0))
                    for ring, one in header["cursors"].items()
                }
        return {}

    def commit(self, sections: Sequence[Section], cursors: dict[int, Cursor]) -> None:
        """Make rows and cursors durable together; raises SpoolFailed and leaves nothing behind."""
        entries, offset = [], 0
        for section in sections:
            entries.append(
                Entry(section.table, uuid4().hex, section.rows, offset, len(section.body))
            )
            offset += len(section.body)
        header = json.dumps(
            {
                "cursors": {f"{ring:016x}": _as_json(one) for ring, one in cursors.items()},
                "sections": [
                    [one.table, one.batch_id, one.rows, one.offset, one.length] for one in entries
                ],
            }
        ).encode()
        number = self._number + 1
        target = self.folder / f"{number:012d}-{self._wall_ms()}.spool"
        part = target.with_suffix(".part")
        try:
            with open(part, "xb", opener=_private) as file:
                file.write(_LENGTH.pack(len(header)) + header)
                file.writelines(section.body for section in sections)
                file.flush()
                os.fsync(file.fileno())
            part.rename(target)
            _sync_folder(self.folder)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise SpoolFailed(f"spool {self.folder}: {error.strerror}") from error
        self._number = number
        self._remove_sent()
        self._bound()

    def oldest(self) -> SpoolFile | None:
        """The oldest file with something to send; an unreadable one is set aside and counted."""
        for path in sorted(self.folder.glob("*.spool"), key=_number):
            header = _header(path)
            if header is not None:
                entries = tuple(Entry(*fields) for fields in header["sections"])
                return SpoolFile(path, entries, _number(path) < self._first_own)
            if path.exists():
                self._limits.add("spool_files_unreadable")
                path.rename(path.with_suffix(".bad"))
        return None

    def body(self, file: SpoolFile, entry: Entry) -> bytes | None:
        """The bytes of one batch; None when the file went to make room."""
        try:
            with open(file.path, "rb") as opened:
                start = _LENGTH.size + _LENGTH.unpack(opened.read(_LENGTH.size))[0]
                opened.seek(start + entry.offset)
                return opened.read(entry.length)
        except FileNotFoundError:
            return None

    def reject(self, entry: Entry, body: bytes, reason: str) -> None:
        """Keep a batch that the collector will never take, with its reason beside it."""
        self._limits.add("batches_rejected")
        self._limits.add("rows_rejected", entry.rows)
        name = f"{entry.table}-{entry.batch_id}"
        (self.rejected / f"{name}.arrow").write_bytes(body)
        (self.rejected / f"{name}.txt").write_text(reason + "\n")
        kept = sorted(self.rejected.iterdir(), key=lambda path: path.stat().st_mtime_ns)
        over = sum(path.stat().st_size for path in kept) - REJECTED_BYTES_MAX
        for path in kept:
            if over <= 0:
                break
            over -= path.stat().st_size
            path.unlink()

    def settled(self, file: SpoolFile) -> None:
        """Every batch of the file was taken or rejected."""
        try:
            file.path.rename(file.path.with_suffix(".sent"))
        except FileNotFoundError:
            return
        self._remove_sent()

    def size(self) -> tuple[int, int, int]:
        """Of what waits: files, bytes, age of the oldest in seconds."""
        files = sorted(self.folder.glob("*.spool"), key=_number)
        age_s = (self._wall_ms() - _created_ms(files[0])) // 1000 if files else 0
        return len(files), sum(_bytes(path) for path in files), max(0, age_s)

    def waiting(self) -> int:
        """Files that were not sent yet; 0 where the folder cannot be read, as every flush says."""
        try:
            return sum(name.endswith(".spool") for name in os.listdir(self.folder))
        except OSError:
            return 0

    def close(self) -> None:
        """Give the folder free."""
        os.close(self._lock)

    def _files(self) -> list[Path]:
        return [path for path in self.folder.iterdir() if path.suffix in (".spool", ".sent")]

    def _remove_sent(self) -> None:
        newest = max(map(_number, self._files()), default=0)
        for path in self.folder.glob("*.sent"):
            if _number(path) < newest:
                path.unlink(missing_ok=True)

    def _bound(self) -> None:
        """Oldest first out where the spool is too big or too old; never the newest file."""
        files = sorted([*self.folder.glob("*.spool"), *self.folder.glob("*.bad")], key=_number)
        over = sum(map(_bytes, files)) - self._bytes_max
        oldest_ms = self._wall_ms() - self._age_s_max * 1000
        for path in files[:-1]:
            if over <= 0 and _created_ms(path) >= oldest_ms:
                break
            over -= _bytes(path)
            header = _header(path) if path.suffix == ".spool" else None
            path.unlink(missing_ok=True)
            self._limits.add("spool_files_dropped")
            if header is not None:
                for table, _, rows, _, _ in header["sections"]:
                    self._limits.add(f"spool_rows_dropped_{table}", rows)


def _locked(folder: Path) -> int:
    """A lock that ends with the process; raises AgentError when another agent has it."""
    fd = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(fd)
        raise AgentError(
            f"spool folder {folder} is in use by another agent; stop it or name another folder"
        ) from error
    return fd


def _as_json(cursor: Cursor) -> dict[str, Any]:
    return {"seq": cursor.seq, "counters": cursor.counters, "details": cursor.details}


def _header(path: Path) -> dict[str, Any] | None:
    """The JSON header; None where the file is gone or cannot be read."""
    try:
        with open(path, "rb") as file:
            length = _LENGTH.unpack(file.read(_LENGTH.size))[0]
            header = json.loads(file.read(length))
    except (OSError, ValueError, StructError):
        return None
    return header if isinstance(header, dict) else None


def _number(path: Path) -> int:
    head = path.name.partition("-")[0]
    return int(head) if head.isdigit() else 0


def _created_ms(path: Path) -> int:
    tail = path.stem.rpartition("-")[2]
    return int(tail) if tail.isdigit() else 0


def _bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
