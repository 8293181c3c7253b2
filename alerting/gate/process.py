"""One measured process: written down, started in a scrubbed environment, read back."""

import json
import shutil
import string
import subprocess
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from alerting.gate.errors import GateError

__all__ = ["COUNTER_UNITS", "Task", "environment", "run_task"]

INSIDE = Path(__file__).parent / "inside"
COUNTER_UNITS = {
    "callgrind": "instructions_simulated",
    "instructions": "instructions",
    "cpu": "cpu_ns",
}
_START = (
    "import sys; sys.path.insert(0, sys.argv[1]); from dynoscope_gate.main import main; "
    "sys.path.remove(sys.argv[1]); main(sys.argv[2])"
)
#: With these, callgrind gives the cost of every C function to the Python function above it, which
#: the shim calls Zgate_<number>: no name of C begins with a Z.
_ONLY_OURS = [
    f"--fn-skip={first}*"
    for first in string.ascii_lowercase + string.ascii_uppercase[:-1] + string.digits + "_("
]


@dataclass(frozen=True, slots=True)
class Task:
    """What dynoscope_gate.main is told. `mode`: prepare, check, count, functions or symbols."""

    mode: str
    out: str
    folder: str
    application: str
    endpoints: list[dict[str, Any]]
    path: list[str]
    prepare: str
    shim: str
    counter: str
    layout: int
    clock_us: int
    seed: int
    warm_up: int
    rounds: int
    functions: list[str] = field(default_factory=list)
    own_only: bool = True


def run_task(
    task: Task, python: str, env: dict[str, str], timeout_s: int
) -> tuple[dict[str, Any], list[Path]]:
    """The result and callgrind's dumps; raises GateError with the application's own last words."""
    out = Path(task.out)
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    spec = out / "spec.json"
    spec.write_text(json.dumps(asdict(task)))
    command = [*_simulator(task), python, "-c", _START, str(INSIDE), str(spec)]
    with open(out / "log", "wb") as log:
        try:
            ended = subprocess.run(
                command, env=env, cwd=task.folder, stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, timeout=timeout_s,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise GateError(
                f"measuring ({task.mode}) took more than {timeout_s} s: raise timeout_s"
            ) from error
        except OSError as error:
            raise GateError(f"cannot start {command[0]}: {error.strerror}") from error
    return _read(task, out, ended.returncode), sorted(out.glob("callgrind.out.*"), key=_number)


def environment(
    config_env: dict[str, str], shim: Path | None, home: Path, data: Path, layout: int, python: str
) -> dict[str, str]:
    """All that the process finds in its environment; of the same length for the same layout."""
    env = {
        "PATH": f"{Path(python).parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONHASHSEED": str(layout),
        "PYTHONNOUSERSITE": "1",
        "GATE_DATA": str(data),
        **config_env,
    }
    if shim is not None:
        env["LD_PRELOAD"] = str(shim)
    return env


def _simulator(task: Task) -> list[str]:
    if task.mode in ("check", "prepare") or task.counter != "callgrind":
        return []
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        raise GateError(
            "valgrind is not installed: `apt-get install valgrind`, or use --counter cpu"
        )
    command = [
        valgrind, "-q", "--tool=callgrind", "--instr-atstart=no", "--dump-line=no",
        f"--callgrind-out-file={task.out}/callgrind.out", f"--log-file={task.out}/valgrind.log",
    ]  # fmt: skip
    if task.mode == "functions":
        command += _ONLY_OURS
    if task.mode == "symbols":
        command += ["--toggle-collect=Zgate_000"]
    return command


def _number(dump: Path) -> int:
    return int(dump.suffix[1:])


def _read(task: Task, out: Path, status: int) -> dict[str, Any]:
    try:
        result: dict[str, Any] = json.loads((out / "result.json").read_text())
    except (OSError, ValueError) as error:
        raise GateError(
            f"the measured process ({task.mode}) ended with {status}, no result: {_tail(out)}"
        ) from error
    if "error" in result:
        trace = result.get("trace", "")
        raise GateError(result["error"] + (f"\n{trace}" if trace else ""))
    return result


def _tail(out: Path) -> str:
    words = "".join(
        (out / name).read_text(errors="replace")
        for name in ("valgrind.log", "log")
        if (out / name).exists()
    )
    return " / ".join(words.strip().splitlines()[-5:]) or "it said nothing"
