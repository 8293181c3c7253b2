"""What pytest-benchmark and pytest-codspeed say of the same versions, at the same budget.

Both run one test that sends the endpoint's request to the application: the first by the wall clock
(its `min`, the steadiest of its numbers), the second under callgrind, whose instructions between
its two client requests are taken. Both compare one number with one number.
"""

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from alerting.gate.errors import GateError
from benchmarks.gating.edits import NEUTRAL, neutral
from benchmarks.gating.planting import Filler, filler_for, planted, price_of
from profiler.gate.callgrind import read_dump

__all__ = ["PEERS", "Peer", "Trial", "compare_peers", "verdicts"]

ROOT = Path(__file__).parents[2]
BENCH = ROOT / ".bench"
TIMEOUT_S = 600
_TEST = """
import io, sys
sys.path.insert(0, {folder!r})
from {module} import {name} as application

def ask():
    environ = {{
        "REQUEST_METHOD": "GET", "PATH_INFO": {path!r}, "SCRIPT_NAME": "", "QUERY_STRING": "",
        "SERVER_NAME": "localhost", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0), "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(b""),
        "wsgi.errors": sys.stderr, "wsgi.multithread": False, "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }}
    return b"".join(application(environ, lambda status, headers, exc_info=None: None))

def test_endpoint(benchmark):
    for _ in range(20):
        ask()
    benchmark(ask)
"""


@dataclass(frozen=True, slots=True)
class Trial:
    """An application, the request, where code is planted, how many versions."""

    root: Path
    application: str
    path: str
    sources: tuple[str, ...]
    file: str
    function: str
    calls: int
    sizes: tuple[float, ...]
    same: int
    neutral: int


@dataclass(frozen=True, slots=True)
class Peer:
    """A pytest plugin in a folder of its own, what it is started with, which file it writes."""

    name: str
    folder: str
    before: tuple[str, ...]
    flags: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)

    def measure(self, root: Path, application: str, path: str, work: Path) -> float:
        """Its number for one request to the application in `root`."""
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        module, _, name = application.partition(":")
        test = _TEST.format(folder=str(root), module=module, name=name, path=path)
        (work / "test_endpoint.py").write_text(test)
        command = [
            *(word.format(work=work) for word in self.before), sys.executable, "-m", "pytest", "-q",
            "-c", os.devnull, "--rootdir", str(work), "-p", "no:xdist", "-p", "no:dash",
            "-p", "no:schemathesis", "-p", "no:cacheprovider",
            *(word.format(work=work) for word in self.flags), "test_endpoint.py",
        ]  # fmt: skip
        env = {**os.environ, **self.environment, "PYTHONPATH": str(BENCH / self.folder)}
        ended = subprocess.run(
            command, cwd=work, env=env, capture_output=True, text=True, timeout=TIMEOUT_S
        )
        if ended.returncode:
            last = " / ".join((ended.stdout + ended.stderr).strip().splitlines()[-3:])
            raise GateError(f"{self.name}: {last} (`make bench-setup` installs it)")
        return _seconds(work) if (work / "wall.json").exists() else _instructions(work)


PEERS = (
    Peer("pytest-benchmark", "pytest_benchmark", (), ("--benchmark-json={work}/wall.json",)),
    Peer(
        "pytest-codspeed",
        "pytest_codspeed",
        ("valgrind", "-q", "--tool=callgrind", "--instr-atstart=no", "--dump-line=no",
         "--callgrind-out-file={work}/callgrind.out"),
        ("--codspeed",),
        {"CODSPEED_ENV": "local", "PYTHONHASHSEED": "0"},
    ),
)  # fmt: skip


def _seconds(work: Path) -> float:
    (found,) = json.loads((work / "wall.json").read_text())["benchmarks"]
    return float(found["stats"]["min"])


def _instructions(work: Path) -> float:
    for path in sorted(work.glob("callgrind.out.*")):
        dump = read_dump(path.read_text())
        if dump.label.endswith("::test_endpoint"):
            return float(sum(dump.own.values()))
    raise GateError("pytest-codspeed wrote no dump: is valgrind there?")


def compare_peers(trial: Trial, budget: float, say: Callable[[str], None]) -> dict[str, Any]:
    """{peer: pairs, aa_false, found by size}; empty where they are not installed."""
    absent = [one.name for one in PEERS if not (BENCH / one.folder).exists()]
    if absent:
        say(f"{' and '.join(absent)} not installed (`make bench-setup`): not compared")
        return {}
    with TemporaryDirectory() as folder:
        work = Path(folder)
        counts = PEERS[-1]
        fillers = _fillers(trial, counts, work)
        versions: dict[str, Mapping[str, str]] = {"base": {}}
        alike = [f"same-{number}" for number in range(trial.same)]
        versions |= {name: {} for name in alike}
        rng = random.Random(11)
        texts = {path: (trial.root / path).read_text() for path in trial.sources}
        for number in range(trial.neutral):
            kind = NEUTRAL[number % len(NEUTRAL)]
            alike.append(f"{kind}-{number}")
            versions[alike[-1]] = neutral(kind, texts, rng)
        dearer = {f"planted-{size}": size for size in trial.sizes}
        for name, size in dearer.items():
            versions[name] = _with(trial, fillers[size])
        found = {}
        for peer in PEERS:
            numbers = {name: _number(trial, peer, files, work) for name, files in versions.items()}
            found[peer.name] = verdicts(numbers, "base", alike, dearer, budget)
            say(f"{peer.name}: {found[peer.name]}")
    return found


def _fillers(trial: Trial, peer: Peer, work: Path) -> dict[float, Filler]:
    """For each size what costs as much, by the instructions that this peer counts."""

    def cost(filler: Filler) -> float:
        return _number(trial, peer, _with(trial, filler), work)

    price = price_of(cost, trial.calls)
    base = _number(trial, peer, {}, work)
    return {size: filler_for(size * base / trial.calls, price) for size in trial.sizes}


def _with(trial: Trial, filler: Filler) -> dict[str, str]:
    text = (trial.root / trial.file).read_text()
    return {trial.file: planted(text, trial.function, filler)}


def _number(trial: Trial, peer: Peer, files: Mapping[str, str], work: Path) -> float:
    """What the peer says of a version: the application with some files changed, always under the
    same name."""
    app = work / "app"
    shutil.rmtree(app, ignore_errors=True)
    shutil.copytree(trial.root, app, ignore=shutil.ignore_patterns("__pycache__", ".git"))
    for path, text in files.items():
        (app / path).parent.mkdir(parents=True, exist_ok=True)
        (app / path).write_text(text)
    return peer.measure(app, trial.application, trial.path, work / "test")


def verdicts(
    measured: Mapping[str, float],
    base: str,
    alike: Sequence[str],
    planted: Mapping[str, float],
    budget: float,
) -> dict[str, object]:
    """From {version: number}: how many of the versions that do the same as the base alarm, and
    the share of planted ones of each size (a share) that do."""
    alarmed = {name: number > measured[base] * (1 + budget) for name, number in measured.items()}
    sizes = sorted(set(planted.values()))
    return {
        "pairs": len(alike),
        "aa_false": sum(alarmed[name] for name in alike),
        "found": {
            f"{size * 100:g}": _share([alarmed[n] for n, one in planted.items() if one == size])
            for size in sizes
        },
    }


def _share(alarmed: Sequence[bool]) -> float:
    return sum(alarmed) / len(alarmed)
