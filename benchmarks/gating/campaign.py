"""Many versions of one application, each measured once, compared in pairs."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

from alerting.gate.config import GateConfig
from alerting.gate.measure import Bench
from alerting.gate.workshop import Workshop
from benchmarks.gating.edits import NEUTRAL, neutral
from benchmarks.gating.planting import Filler, Price, filler_for, planted, price_of
from profiler.gate.records import Budget, Counted, EndpointVerdict, Side
from profiler.gate.verdict import compare_sides, undecided

__all__ = ["BUDGET", "Campaign", "Found", "Planted"]

BUDGET = Budget(0.002)
LAYOUTS_STEP = 4
BASE = "base"


@dataclass(frozen=True, slots=True)
class Planted:
    """Where code is planted: file, function, the endpoint that calls it and how often."""

    file: str
    function: str
    endpoint: str
    calls: int

    @property
    def name(self) -> str:
        """module:qualname."""
        return f"{self.file.removesuffix('.py').replace('/', '.')}:{self.function}"


@dataclass(frozen=True, slots=True)
class Found:
    """One planted change: its size as a share, whether it was found, whether the function led."""

    size: float
    found: bool
    named: bool
    rise: float


class Campaign:
    """`root` is the application's folder; its versions become folders of one workshop."""

    def __init__(
        self,
        root: Path,
        workshop: Workshop,
        bench: Bench,
        config: GateConfig,
        say: Callable[[str], None],
    ) -> None:
        self.root, self.workshop, self.bench, self.say = root, workshop, bench, say
        self.config = config
        self.names = [one.name for one in config.endpoints]
        self.layouts: dict[str, int] = {}
        self.seconds = 0.0
        self.price: Price | None = None
        self._add(BASE, {})

    def false_alarms(self, versions: Sequence[str], wanted: int) -> tuple[int, int]:
        """(pairs, endpoints that alarmed) among pairs of versions that all do the same."""
        pairs = list(combinations(versions, 2))[:wanted]
        alarms = sum(bool(self._risen(a, b)) for a, b in pairs)
        return len(pairs), alarms

    def neutral_versions(self, count: int, sources: Sequence[str], seed: int) -> list[str]:
        """The base and `count` versions with one generated edit each, one kind after the other."""
        rng = random.Random(seed)
        texts = {path: (self.root / path).read_text() for path in sources}
        names = []
        for number in range(count):
            kind = NEUTRAL[number % len(NEUTRAL)]
            names.append(f"{kind}-{number}")
            self._add(names[-1], neutral(kind, texts, rng))
        return [BASE, *names]

    def same_versions(self, count: int) -> list[str]:
        """`count` measurements of the base."""
        names = [f"same-{number}" for number in range(count)]
        for name in names:
            self._add(name, {})
        return names

    def plant(self, place: Planted, sizes: Sequence[float]) -> list[Found]:
        """Code of these shares of the endpoint's cost in one place."""
        if self.price is None:
            self.price = price_of(lambda filler: self._cost(place, filler), place.calls)
            self.say(f"instructions of what is planted: {self.price}")
        cost = _mean(self._counted(BASE, place.endpoint))
        found = []
        for size in sizes:
            filler = filler_for(size * cost / place.calls, self.price)
            name = self._planted(place, filler)
            found.append(self._judge(name, place, self.price.of(filler) * place.calls / cost))
            self.say(f"{place.name} {size:.1%}: {found[-1]}")
        return found

    def _cost(self, place: Planted, filler: Filler) -> float:
        """Instructions of the endpoint with the filler in this place."""
        return _mean(self._counted(self._planted(place, filler), place.endpoint))

    def _planted(self, place: Planted, filler: Filler) -> str:
        """The version that has it, measured."""
        name = f"{place.name.replace(':', '-')}-{filler.statements}-{filler.turns}"
        if name not in self.layouts:
            text = (self.root / place.file).read_text()
            self._add(name, {place.file: planted(text, place.function, filler)})
        return name

    def _judge(self, name: str, place: Planted, size: float) -> Found:
        alarmed = self._risen(BASE, name)
        if place.endpoint not in alarmed:
            return Found(size, False, False, 0.0)
        for version in (BASE, name):
            self.bench.trace(version, [place.endpoint])
        verdict = self._risen(BASE, name)[place.endpoint]
        named = bool(verdict.functions) and verdict.functions[0].name == place.name
        return Found(size, True, named, verdict.rise)

    def _risen(self, a: str, b: str) -> dict[str, EndpointVerdict]:
        """The endpoints that cost more in b than in a; layouts are added until that is clear."""
        budgets = dict.fromkeys(self.names, BUDGET)
        while True:
            comparison = compare_sides(self._side(a), self._side(b), budgets)
            done = min(self.layouts[a], self.layouts[b])
            if not undecided(comparison) or done >= self.config.layouts_max:
                risen = (e for e in comparison.endpoints if e.verdict == "regression")
                return {e.endpoint: e for e in risen}
            for version in (a, b):
                if self.layouts[version] == done:
                    self._count(version, LAYOUTS_STEP)

    def _side(self, version: str) -> Side:
        return replace(self.bench.side(version, version), absent=())

    def _counted(self, version: str, endpoint: str) -> Counted:
        return next(one for one in self._side(version).counted if one.endpoint == endpoint)

    def _add(self, version: str, files: Mapping[str, str]) -> None:
        folder = self.workshop.root / f"side-{version}"
        shutil.copytree(self.root, folder, ignore=shutil.ignore_patterns("__pycache__", ".git"))
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        begun = time.monotonic()
        self.bench.begin(version)
        self.layouts[version] = 0
        self._count(version, self.config.layouts)
        self.seconds += time.monotonic() - begun

    def _count(self, version: str, more: int) -> None:
        done = self.layouts[version]
        self.bench.count(version, self.names, range(done, done + more))
        self.layouts[version] = done + more


def _mean(counted: Counted) -> float:
    return sum(counted.layouts) / len(counted.layouts)
