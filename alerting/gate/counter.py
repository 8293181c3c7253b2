"""Which counter this machine has: hardware, callgrind, CPU time, in this order."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from alerting.gate.errors import GateError
from alerting.gate.process import INSIDE
from alerting.gate.shim import compiled_shim

__all__ = ["counter_and_shim"]

_OPEN = (
    "import sys; sys.path.insert(0, sys.argv[1]); from dynoscope_gate.perf import Instructions\n"
)
_OPEN += "with Instructions() as counter: counter.read()"


def counter_and_shim(wanted: str, say: Callable[[str], None]) -> tuple[str, Path | None]:
    """The counter's name and the compiled shim (None: without one clocks do not stand still)."""
    counter = _best(say) if wanted == "auto" else wanted
    if counter == "instructions" and (reason := _no_hardware()):
        raise GateError(f"no hardware counter ({reason}): use --counter callgrind")
    if counter == "callgrind" and shutil.which("valgrind") is None:
        raise GateError(
            "valgrind is not installed: `apt-get install valgrind`, or use --counter cpu"
        )
    try:
        return counter, compiled_shim(Path.home() / ".cache" / "dynoscope")
    except GateError as error:
        if counter == "callgrind":
            raise
        say(f"clock and random bytes do not stand still: {error}")
        return counter, None


def _best(say: Callable[[str], None]) -> str:
    reason = _no_hardware()
    if not reason:
        return "instructions"
    if shutil.which("valgrind") is not None:
        say(f"no hardware counter ({reason}): counting under callgrind")
        return "callgrind"
    say(f"no hardware counter ({reason}) and no valgrind: comparing CPU time, which is less sure")
    return "cpu"


def _no_hardware() -> str:
    """Why not; empty where instructions can be counted."""
    tried = subprocess.run(
        [sys.executable, "-c", _OPEN, str(INSIDE)], capture_output=True, text=True
    )
    if tried.returncode == 0:
        return ""
    return (tried.stderr.strip().splitlines() or ["it could not be tried"])[-1]
