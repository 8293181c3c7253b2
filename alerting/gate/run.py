"""`gate run`: both sides, the comparison, the functions."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from alerting.gate.config import GateConfig
from alerting.gate.counter import counter_and_shim
from alerting.gate.errors import GateError
from alerting.gate.measure import Bench
from alerting.gate.services import running_services
from alerting.gate.workshop import commit_of, fork_point, git, messages, open_workshop
from profiler.gate.expectations import read_expectations
from profiler.gate.records import Changed, Comparison, EndpointVerdict, Expectation, Side
from profiler.gate.verdict import compare_sides, undecided

__all__ = ["measure_tree", "run_gate"]

BASE, HEAD = "base", "head"
LAYOUTS_STEP = 4


def run_gate(
    config: GateConfig,
    repository: Path,
    base: str,
    counter: str,
    jobs: int,
    say: Callable[[str], None],
) -> Comparison:
    """Measure the point where HEAD left `base`, and the working tree; compare."""
    base_commit, remark = fork_point(repository, base)
    if remark:
        say(remark)
    head_label = _label(repository)
    expectations, problems = read_expectations(messages(repository, base_commit, "HEAD"))
    for problem in problems:
        say(problem)
    with open_workshop() as workshop:
        workshop.add(BASE, repository, base_commit)
        workshop.add(HEAD, repository, None)
        counter, shim = counter_and_shim(counter, say)
        with running_services(config.services, repository, config.timeout_s) as settings:
            served = replace(config, env={**settings, **config.env})
            bench = Bench(served, workshop, shim, counter, jobs, say)
            return _compare(bench, served, base_commit[:10], head_label, expectations)


def measure_tree(
    config: GateConfig,
    repository: Path,
    ref: str | None,
    counter: str,
    jobs: int,
    say: Callable[[str], None],
) -> Side:
    """One side alone, with the functions of all endpoints."""
    with open_workshop() as workshop:
        workshop.add(HEAD, repository, ref)
        counter, shim = counter_and_shim(counter, say)
        label = commit_of(repository, ref)[:10] if ref else _label(repository)
        with running_services(config.services, repository, config.timeout_s) as settings:
            served = replace(config, env={**settings, **config.env})
            return _measure(Bench(served, workshop, shim, counter, jobs, say), served, label)


def _measure(bench: Bench, config: GateConfig, label: str) -> Side:
    bench.begin(HEAD)
    absent = bench.absent(HEAD)
    for name, sentence in bench.wrong(HEAD).items():
        if name not in absent:
            raise GateError(f"{name}: {sentence}")
    names = [one.name for one in config.endpoints if one.name not in absent]
    bench.count(HEAD, names, range(config.layouts))
    if bench.traces:
        bench.trace(HEAD, names)
    return bench.side(HEAD, label)


def _compare(
    bench: Bench, config: GateConfig, base: str, head: str, expectations: list[Expectation]
) -> Comparison:
    bench.begin(BASE)
    bench.begin(HEAD)
    wrong = {
        name: f"{side}: {sentence}"
        for side in (HEAD, BASE)
        for name, sentence in bench.wrong(side).items()
        if name not in bench.absent(side)
    }
    absent = {*bench.absent(BASE), *bench.absent(HEAD)}
    names = [one.name for one in config.endpoints if one.name not in absent | wrong.keys()]
    budgets = {one.name: one.budget for one in config.endpoints}

    def compared() -> Comparison:
        sides = bench.side(BASE, base), bench.side(HEAD, head)
        return compare_sides(*sides, budgets, expectations, wrong)

    done = 0
    left = names
    while left and done < config.layouts_max:
        more = range(
            done, min(config.layouts_max, done + (LAYOUTS_STEP if done else config.layouts))
        )
        for side in (HEAD, BASE) if done else (BASE, HEAD):
            bench.count(side, left, more)
        done = more.stop
        left = undecided(compared())
    risen = [
        one.endpoint for one in compared().endpoints if one.verdict in ("regression", "expected")
    ]
    if risen and bench.traces:
        for side in (BASE, HEAD):
            bench.trace(side, risen)
    comparison = compared()
    return replace(
        comparison,
        endpoints=tuple(_with_symbol(bench, one) for one in comparison.endpoints),
    )


def _with_symbol(bench: Bench, verdict: EndpointVerdict) -> EndpointVerdict:
    """Name the C function in which the guilty function's own cost rose most."""
    if not verdict.functions:
        return verdict
    first = verdict.functions[0]
    before = bench.symbols(BASE, verdict.endpoint, first.name)
    after = bench.symbols(HEAD, verdict.endpoint, first.name)
    rises = {name: cost - before.get(name, 0.0) for name, cost in after.items()}
    if not rises:
        return verdict
    symbol = max(rises, key=lambda name: rises[name])
    named: Changed = replace(first, symbol=symbol)
    return replace(verdict, functions=(named, *verdict.functions[1:]))


def _label(repository: Path) -> str:
    commit = commit_of(repository, "HEAD")[:10]
    changed = git(repository, "status", "--porcelain", "--untracked-files=no").strip()
    return f"{commit} and uncommitted changes" if changed else commit


def default_jobs() -> int:
    """As many processes at once as this one may use CPUs."""
    return max(1, len(os.sched_getaffinity(0)))
