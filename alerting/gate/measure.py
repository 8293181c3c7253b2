"""Measures one side after the other under one name."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from alerting.gate.config import GateConfig
from alerting.gate.errors import GateError
from alerting.gate.process import COUNTER_UNITS, Task, environment, run_task
from alerting.gate.workshop import Workshop
from profiler.gate.callgrind import Dump, graph_of, luck_of, read_dump, self_by_symbol
from profiler.gate.functions import mean_graph
from profiler.gate.records import Counted, Graph, Side

__all__ = ["Bench"]

Made = TypeVar("Made")
#: Kind -> (calls, cost) in one layout.
Luck = dict[str, tuple[float, float]]
#: Answers of an endpoint that one side does not have.
ABSENT = (404, 405)
GRAPH_LAYOUTS = 2
SYMBOL_LAYOUT = 1


@dataclass(slots=True)
class _Measured:
    """What is known of one side so far; `counts` and their `luck` by endpoint, one a layout."""

    answers: dict[str, list[list[int]]]
    environment: dict[str, Any]
    counts: dict[str, list[float]] = field(default_factory=dict)
    luck: dict[str, list[Luck]] = field(default_factory=dict)
    graphs: dict[str, Graph] = field(default_factory=dict)


class Bench:
    """Measures the sides of one workshop with one counter. `say` is told what is going on."""

    def __init__(
        self,
        config: GateConfig,
        workshop: Workshop,
        shim: Path | None,
        counter: str,
        jobs: int,
        say: Callable[[str], None],
    ) -> None:
        self.config, self.workshop, self.shim = config, workshop, shim
        self.counter, self.say = counter, say
        self.jobs = jobs if counter == "callgrind" else 1
        self._measured: dict[str, _Measured] = {}

    def begin(self, side: str) -> None:
        """Install, prepare the data, and let every request answer once, not counted."""
        self.workshop.bring_in(side)
        if self.config.install:
            self._command(self.config.install, "install")
        shutil.rmtree(self.workshop.data(0).parent, ignore_errors=True)
        self.workshop.data(0).mkdir(parents=True)
        self._prepare()
        self.say(f"{side}: asking every request once")
        result, _ = self._run(self._task("check", slot=0, warm_up=0), layout=0)
        self._measured[side] = _Measured(result["answers"], result["environment"])

    def wrong(self, side: str) -> dict[str, str]:
        """{endpoint: sentence} for those that answer other than expected."""
        answers = self._measured[side].answers
        found = {}
        for endpoint in self.config.endpoints:
            for request, (status, _) in zip(endpoint.requests, answers[endpoint.name], strict=True):
                if status != request.status:
                    found[endpoint.name] = (
                        f"{request.method} {request.path} answered {status}, not {request.status}"
                    )
        return found

    def absent(self, side: str) -> list[str]:
        """The endpoints that this side does not know."""
        answers = self._measured[side].answers
        return [
            name
            for name in self.wrong(side)
            if all(status in ABSENT for status, _ in answers[name])
        ]

    def count(self, side: str, names: Sequence[str], layouts: range) -> None:
        """Count these endpoints in these memory layouts."""
        if not names:
            return
        self.workshop.bring_in(side)
        self.say(f"{side}: counting {len(names)} endpoints in {len(layouts)} memory layouts")
        known = self._measured[side]
        for counts in self._each(lambda layout: self._count(names, layout), layouts):
            for name, (count, luck) in counts.items():
                known.counts.setdefault(name, []).append(count)
                known.luck.setdefault(name, []).append(luck)

    @property
    def traces(self) -> bool:
        """Functions are always counted under callgrind; here it is."""
        return self.shim is not None and shutil.which("valgrind") is not None

    def trace(self, side: str, names: Sequence[str]) -> None:
        """Who calls whom in these endpoints, with the cost of each function under callgrind."""
        self.workshop.bring_in(side)
        self.say(f"{side}: costs of the functions of {len(names)} endpoints")
        made = self._each(lambda layout: self._graphs(names, layout), range(GRAPH_LAYOUTS))
        self._measured[side].graphs.update(
            {name: mean_graph([one[name] for one in made]) for name in names}
        )

    def symbols(self, side: str, name: str, function: str) -> dict[str, float]:
        """Own cost of each C function beneath one Python function, per request of the endpoint."""
        self.workshop.bring_in(side)
        task = self._task("symbols", slot=SYMBOL_LAYOUT, names=[name], functions=[function])
        task = replace(task, counter="callgrind")
        result, dumps = self._run(task, layout=SYMBOL_LAYOUT)
        if result["functions"] != [function]:
            return {}
        read = [read_dump(path.read_text(errors="replace")) for path in dumps]
        return self_by_symbol([dump for dump in read if dump.label], self._requests(name))

    def side(self, side: str, label: str) -> Side:
        """All that was measured of a side."""
        known = self._measured[side]
        return Side(
            label=label,
            unit=COUNTER_UNITS[self.counter],
            python=known.environment["python"],
            packages=known.environment["packages"],
            counted=tuple(
                Counted(
                    endpoint.name,
                    tuple(known.counts[endpoint.name]),
                    tuple((status, size) for status, size in known.answers[endpoint.name]),
                    known.graphs.get(endpoint.name, Graph()),
                    _by_kind(known.luck.get(endpoint.name, ())),
                )
                for endpoint in self.config.endpoints
                if endpoint.name in known.counts
            ),
            absent=tuple(self.absent(side)),
        )

    def _each(self, measured: Callable[[int], Made], layouts: range) -> list[Made]:
        """One process a layout, as many at once as there are jobs; a failure ends the rest."""
        pool = ThreadPoolExecutor(self.jobs)
        try:
            return list(pool.map(measured, layouts))
        finally:
            pool.shutdown(cancel_futures=True)

    def _count(self, names: Sequence[str], layout: int) -> dict[str, tuple[float, Luck]]:
        """{endpoint: (cost of a request, what of it is luck of the layout)}."""
        task = self._task("count", slot=layout, names=names)
        result, paths = self._run(task, layout)
        if self.counter != "callgrind":
            middle = _median if self.counter == "cpu" else _average
            counts = result["counts"]
            return {name: (middle(counts[name]) / self._requests(name), {}) for name in names}
        dumps: dict[str, list[Dump]] = {name: [] for name in names}
        for path in paths:
            dump = read_dump(path.read_text(errors="replace"))
            if dump.label:
                dumps[names[int(dump.label)]].append(dump)
        if any(len(rounds) != self.config.rounds for rounds in dumps.values()):
            raise GateError("callgrind did not write every count: is the disk full?")
        return {
            name: (
                _average([one.total for one in rounds]) / self._requests(name),
                _mean_luck(rounds, self._requests(name)),
            )
            for name, rounds in dumps.items()
        }

    def _graphs(self, names: Sequence[str], layout: int) -> dict[str, Graph]:
        task = replace(self._task("functions", slot=layout, names=names), counter="callgrind")
        result, paths = self._run(task, layout)
        dumps = [read_dump(path.read_text(errors="replace")) for path in paths]
        return {
            name: graph_of(
                [dump for dump in dumps if dump.label == str(at)],
                result["functions"],
                self._requests(name),
            )
            for at, name in enumerate(names)
        }

    def _requests(self, name: str) -> int:
        return next(len(one.requests) for one in self.config.endpoints if one.name == name)

    def _task(
        self,
        mode: str,
        slot: int,
        names: Sequence[str] | None = None,
        functions: Sequence[str] = (),
        warm_up: int | None = None,
    ) -> Task:
        config = self.config
        endpoints = [one for one in config.endpoints if names is None or one.name in names]
        if names is not None:
            endpoints.sort(key=lambda one: list(names).index(one.name))
        return Task(
            mode=mode,
            out=str(self.workshop.root / f"out-{slot:03}"),
            folder=str(self.workshop.app),
            application=config.application,
            endpoints=[asdict(one) for one in endpoints],
            path=list(config.path),
            prepare=config.prepare,
            shim=str(self.shim or ""),
            counter=self.counter,
            layout=slot,
            clock_us=config.clock_us,
            seed=config.seed,
            warm_up=config.warm_up if warm_up is None else warm_up,
            rounds=config.rounds,
            functions=list(functions),
        )

    def _run(self, task: Task, layout: int) -> tuple[dict[str, Any], list[Path]]:
        slot = self.workshop.data(layout + 1)
        if task.mode == "prepare":
            slot = self.workshop.data(0)
        else:
            shutil.rmtree(slot, ignore_errors=True)
            shutil.copytree(self.workshop.data(0), slot)
        return run_task(task, self.python, self._env(slot, layout), self.config.timeout_s)

    @property
    def python(self) -> str:
        """The application's interpreter: gate.toml's, by its place in the checkout, or ours."""
        given = self.config.python
        if not given:
            return sys.executable
        return given if os.path.isabs(given) else str(self.workshop.app / given)

    def _env(self, data: Path, layout: int) -> dict[str, str]:
        kept = {name: os.environ[name] for name in self.config.keep_env if name in os.environ}
        return environment(
            {**kept, **self.config.env}, self.shim, self.workshop.home, data, layout, self.python
        )

    def _prepare(self) -> None:
        """`module:function` runs in the application's interpreter; all else is a command."""
        prepare = self.config.prepare
        if not prepare:
            return
        if " " in prepare or ":" not in prepare:
            self._command(prepare, "prepare")
            return
        task = replace(self._task("prepare", slot=0), mode="prepare")
        self._run(task, layout=0)

    def _command(self, words: str, what: str) -> None:
        env = self._env(self.workshop.data(0), 0)
        if what == "prepare":
            env["GATE_CLOCK_US"] = str(self.config.clock_us)
        else:
            env.pop("LD_PRELOAD", None)
        self.say(f"{what}: {words}")
        try:
            ended = subprocess.run(
                shlex.split(words), cwd=self.workshop.app, env=env, capture_output=True, text=True,
                timeout=self.config.timeout_s,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            raise GateError(f"{what} = {words!r} could not run: {error}") from error
        if ended.returncode:
            last = " / ".join((ended.stderr or ended.stdout).strip().splitlines()[-3:])
            raise GateError(f"{what} = {words!r} ended with status {ended.returncode}: {last}")


def _average(counts: Sequence[float]) -> float:
    return sum(counts) / len(counts)


def _median(counts: Sequence[float]) -> float:
    ordered = sorted(counts)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def _mean_luck(rounds: Sequence[Dump], requests: int) -> Luck:
    """Of the rounds, per request."""
    each = [luck_of(dump) for dump in rounds]
    return {
        kind: (
            _average([one[kind][0] for one in each]) / requests,
            _average([one[kind][1] for one in each]) / requests,
        )
        for kind in each[0]
    }


def _by_kind(layouts: Sequence[Luck]) -> dict[str, tuple[tuple[float, float], ...]]:
    kinds = layouts[0] if layouts else {}
    return {kind: tuple(one[kind] for one in layouts) for kind in kinds}
