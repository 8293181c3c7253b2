"""The compiled shim in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from alerting.gate.errors import GateError
from alerting.gate.shim import compiled_shim

CODE = """
import ctypes, datetime, os, sys, time
shim = ctypes.PyDLL(sys.argv[1])
shim.gate_freeze.argtypes = [ctypes.c_int64, ctypes.c_uint64]
before = time.monotonic_ns(), time.thread_time_ns()
shim.gate_freeze(1_770_000_000_000_000, 7)
for _ in range(2):
    now = datetime.datetime.now(datetime.timezone.utc)
    print(now.isoformat(), time.time_ns(), os.urandom(9).hex())
    shim.gate_rewind()
print(time.monotonic_ns() > before[0], time.thread_time_ns() > before[1], shim.gate_simulated())
"""


def run(shim: Path, **env: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(shim)],
        env={**os.environ, "LD_PRELOAD": str(shim), **env},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def test_calendar_clock_and_random_bytes_stand_still_and_rewind(tmp_path: Path) -> None:
    shim = compiled_shim(tmp_path)
    first, second, rest = run(shim)
    assert first == second
    assert first.startswith("2026-02-02T02:40:00")
    assert rest == "True True 0"
    assert run(shim)[0] == first
    assert compiled_shim(tmp_path) == shim


def test_a_cache_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(GateError, match="let HOME be writable"):
        compiled_shim(tmp_path / "file" / "cache")


def test_a_preparing_command_has_the_clock_by_its_environment(tmp_path: Path) -> None:
    shim = compiled_shim(tmp_path)
    done = subprocess.run(
        ["date", "-u", "+%Y-%m-%d"],
        env={
            "PATH": os.environ["PATH"],
            "LD_PRELOAD": str(shim),
            "GATE_CLOCK_US": "1770000000000000",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "2026-02-02\n"
