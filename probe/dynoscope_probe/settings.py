"""The probe's configuration: environment variables, read once when the ring is made."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from typing import Mapping

from dynoscope_probe.identity import git_commit

__all__ = ["Settings", "is_enabled", "read_settings"]

RING_RECORDS_MIN, RING_RECORDS_MAX = 16, 1 << 20
KEY_BYTES_MAX = 64
_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


@dataclass(frozen=True)
class Settings:
    """What the probe was told. `bad` counts values that were ignored for the default."""

    service: str
    host: str
    region: str
    release: str
    ring_dir: str
    ring_records: int
    counter: str  # auto, instructions, cpu_ns
    user_hash_key: bytes  # empty: no user hashes
    bad: int


def read_settings(environ: Mapping[str, str], folder: str) -> Settings:
    """Settings from DYNOSCOPE_*; `folder` is the application's (the process's working folder)."""
    records, bad_records = _ring_records(environ.get("DYNOSCOPE_RING_RECORDS", ""))
    counter, bad_counter = _counter(environ.get("DYNOSCOPE_COUNTER", ""))
    key, bad_key = _key(environ.get("DYNOSCOPE_USER_HASH_KEY_FILE", ""))
    enabled = environ.get("DYNOSCOPE_ENABLED", "").lower()
    bad_enabled = enabled not in ("", *_TRUE, *_FALSE)
    return Settings(
        service=environ.get("DYNOSCOPE_SERVICE") or os.path.basename(folder) or "app",
        host=environ.get("DYNOSCOPE_HOST") or socket.gethostname(),
        region=environ.get("DYNOSCOPE_REGION", ""),
        release=environ.get("DYNOSCOPE_RELEASE") or git_commit(folder),
        ring_dir=environ.get("DYNOSCOPE_RING_DIR") or "/dev/shm/dynoscope",
        ring_records=records,
        counter=counter,
        user_hash_key=key,
        bad=bad_records + bad_counter + bad_key + bad_enabled,
    )


def is_enabled(environ: Mapping[str, str]) -> bool:
    """DYNOSCOPE_ENABLED; what is neither yes nor no is yes."""
    return environ.get("DYNOSCOPE_ENABLED", "1").lower() not in _FALSE


def _ring_records(text: str) -> tuple[int, bool]:
    """(records in the ring, whether the value was bad)."""
    if not text:
        return 16384, False
    if text.isdecimal() and RING_RECORDS_MIN <= int(text) <= RING_RECORDS_MAX:
        return int(text), False
    return 16384, True


def _counter(text: str) -> tuple[str, bool]:
    if text in ("auto", "instructions", "cpu_ns"):
        return text, False
    return "auto", bool(text)


def _key(path: str) -> tuple[bytes, bool]:
    if not path:
        return b"", False
    try:
        with open(path, "rb") as file:
            key = file.read(KEY_BYTES_MAX + 1).strip()
    except OSError:
        return b"", True
    return (key, False) if 0 < len(key) <= KEY_BYTES_MAX else (b"", True)
