"""The probe's configuration: environment variables, read once when the ring is made."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from typing import Mapping

from dynoscope_probe.identity import git_commit

__all__ = ["Settings", "is_enabled", "read_settings"]

RING_RECORDS_MIN, RING_RECORDS_MAX = 16, 1 << 20
RING_DETAILS_MIN, RING_DETAILS_MAX = 64, 1 << 20
SLOW_MS_MAX = 86_400_000
KEY_BYTES_MAX = 64
_SWITCHES = ("DYNOSCOPE_ENABLED", "DYNOSCOPE_FAST", "DYNOSCOPE_TRACEPARENT")
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
    ring_details: int
    counter: str  # auto, instructions, cpu_ns
    user_hash_key: bytes  # empty: no user hashes
    span_rate: float  # share of traces whose spans are kept, 0..1
    span_slow_ms: int  # spans of slower requests are kept, too
    deep_rate: float  # share of requests that are profiled, 0..1
    traceparent: bool  # hand the trace on
    bad: int


def read_settings(environ: Mapping[str, str], folder: str) -> Settings:
    """Settings from DYNOSCOPE_*; `folder` is the application's (the process's working folder)."""
    records, bad_records = _number(
        environ.get("DYNOSCOPE_RING_RECORDS", ""), 16384, RING_RECORDS_MIN, RING_RECORDS_MAX
    )
    details, bad_details = _number(
        environ.get("DYNOSCOPE_RING_DETAILS", ""), 8192, RING_DETAILS_MIN, RING_DETAILS_MAX
    )
    rate, bad_rate = _share(environ.get("DYNOSCOPE_SPAN_RATE", ""), 0.001)
    deep_rate, bad_deep = _share(environ.get("DYNOSCOPE_DEEP_RATE", ""), 0)
    slow_ms, bad_slow = _number(environ.get("DYNOSCOPE_SPAN_SLOW_MS", ""), 1000, 0, SLOW_MS_MAX)
    counter, bad_counter = _counter(environ.get("DYNOSCOPE_COUNTER", ""))
    key, bad_key = _key(environ.get("DYNOSCOPE_USER_HASH_KEY_FILE", ""))
    switches = [environ.get(name, "").lower() for name in _SWITCHES]
    return Settings(
        service=environ.get("DYNOSCOPE_SERVICE") or os.path.basename(folder) or "app",
        host=environ.get("DYNOSCOPE_HOST") or socket.gethostname(),
        region=environ.get("DYNOSCOPE_REGION", ""),
        release=environ.get("DYNOSCOPE_RELEASE") or git_commit(folder),
        ring_dir=environ.get("DYNOSCOPE_RING_DIR") or "/dev/shm/dynoscope",
        ring_records=records,
        ring_details=details,
        counter=counter,
        user_hash_key=key,
        span_rate=rate,
        span_slow_ms=slow_ms,
        deep_rate=deep_rate,
        traceparent=environ.get("DYNOSCOPE_TRACEPARENT", "").lower() not in _FALSE,
        bad=sum((bad_records, bad_details, bad_rate, bad_deep, bad_slow, bad_counter, bad_key))
        + sum(switch not in ("", *_TRUE, *_FALSE) for switch in switches),
    )


def is_enabled(environ: Mapping[str, str]) -> bool:
    """DYNOSCOPE_ENABLED; what is neither yes nor no is yes."""
    return environ.get("DYNOSCOPE_ENABLED", "1").lower() not in _FALSE


def _number(text: str, default: int, least: int, most: int) -> tuple[int, bool]:
    """(a whole number, whether the value was bad)."""
    if text.isdecimal() and len(text) < 20 and least <= int(text) <= most:
        return int(text), False
    return default, bool(text)


def _share(text: str, default: float) -> tuple[float, bool]:
    """(a number from 0 to 1, whether the value was bad)."""
    try:
        share = float(text or default)
    except ValueError:
        return default, True
    return (share, False) if 0 <= share <= 1 else (default, True)


def _counter(text: str) -> tuple[str, bool]:
    if text in ("auto", "instructions", "cpu_ns"):
        return text, False
    return "auto", bool(text)


def _key(path: str) -> tuple[bytes, bool]:
    if not path:
        return b"", False
    try:
        with open(path, "rb", opener=_not_waiting) as file:
            key = (file.read(KEY_BYTES_MAX + 1) or b"").strip()
    except OSError:
        return b"", True
    return (key, False) if 0 < len(key) <= KEY_BYTES_MAX else (b"", True)


def _not_waiting(path: str, flags: int) -> int:
    """Opens a file; of a pipe that nobody writes to it is empty at once."""
    return os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC)
