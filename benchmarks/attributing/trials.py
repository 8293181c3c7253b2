"""Trials with known truth: is the planted function named, do intervals hold the truth?"""

from dataclasses import dataclass, replace

import numpy as np

from benchmarks.attributing.fleet import ENDPOINT, OTHER_STACKS, Fleet, oracle_error_ns, power, side
from benchmarks.attributing.service import KINDS, Planted, make_service, plant
from profiler.calltree import OWN, index_functions
from profiler.compare import compare_sides
from profiler.functions import function_test
from profiler.measured import SideData
from profiler.parts import parts_of
from profiler.records import Comparison

__all__ = ["Trial", "planted_trial", "unchanged_trial"]

FUNCTIONS = 300
CORRECTED = 0.05
WINDOW_S = 10.0
HOSTS = 12
#: Every other trial has so little data that the oracle misses small changes, too: windows, and
#: samples of a host in each.
LITTLE = (8, 25)


@dataclass(frozen=True, slots=True)
class Trial:
    """`rank` from 1, 0 for not in the list; `uncounted`: the rank without counted calls."""

    kind: str
    share: float
    rank: int
    uncounted: int
    found: bool
    oracle_power: float
    covered: int
    intervals: int


def planted_trial(number: int, seed: int) -> Trial:
    """The kinds in turn; shares spread evenly over the logarithm of 1% to 30%."""
    rng = np.random.default_rng([seed, number])
    kind = KINDS[number % len(KINDS)]
    share = float(np.exp(rng.uniform(np.log(0.01), np.log(0.30))))
    change = plant(make_service(rng), kind, share, rng)
    fleet = _fleet(rng, HOSTS)
    if number % 2:
        fleet = replace(fleet, windows=LITTLE[0], samples=LITTLE[1])
    a = side("r1", fleet, change.before, rng, other=rng.uniform(0.2, 0.4))
    b = side(
        "r2", fleet, change.after, rng, is_young=True, traffic=rng.uniform(0.7, 1.4),
        other=rng.uniform(0.1, 0.6),
    )  # fmt: skip
    plain = _compared(a, b, change)
    counted = _compared(
        replace(a, calls={ENDPOINT: change.calls_before}),
        replace(b, calls={ENDPOINT: change.calls_after}),
        change,
    )
    covered, intervals = _coverage(a, b, change, fleet)
    members = _members(change)
    error = oracle_error_ns(fleet, (change.before + change.after) / 2, members)
    rise = float((change.after - change.before)[members].sum())
    found = any(
        one.function == change.riser and one.endpoint == ENDPOINT and one.difference.value > 0
        and one.p_corrected < CORRECTED
        for one in plain.functions
    )  # fmt: skip
    return Trial(
        kind, share, _rank(counted, change.guilty), _rank(plain, change.guilty), found,
        power(rise, error, CORRECTED / FUNCTIONS), covered, intervals,
    )  # fmt: skip


def unchanged_trial(number: int, seed: int) -> bool:
    """Whether anything was called risen, fallen or guilty where nothing changed but traffic."""
    rng = np.random.default_rng([seed, 1, number])
    service = make_service(rng)
    fleet = replace(_fleet(rng, 8), windows=24, samples=100)
    a = side("r1", fleet, service.cost_ns, rng, other=rng.uniform(0.2, 0.4))
    b = side(
        "r2", fleet, service.cost_ns, rng, is_young=True, traffic=rng.uniform(0.7, 1.4),
        other=rng.uniform(0.1, 0.6),
    )  # fmt: skip
    found = compare_sides("made-up", a, b, (*service.stacks, *OTHER_STACKS), window_s=WINDOW_S)
    return any(
        one.verdict in ("regression", "improvement", "moved")
        for one in found.functions
        if one.endpoint == ENDPOINT
    )


def _fleet(rng: np.random.Generator, hosts: int) -> Fleet:
    return Fleet(speed=rng.normal(1, 0.1, hosts).clip(0.6, 1.4))


def _compared(a: SideData, b: SideData, change: Planted) -> Comparison:
    return compare_sides("made-up", a, b, (*change.stacks, *OTHER_STACKS), window_s=WINDOW_S)


def _rank(found: Comparison, name: str) -> int:
    names = [one.function for one in found.functions if one.endpoint == ENDPOINT]
    return names.index(name) + 1 if name in names else 0


def _members(change: Planted) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """The stacks that the riser answers for."""
    return np.array(
        [_answerable(stack.frames, stack.origins) == change.riser for stack in change.stacks]
    )


def _answerable(frames: tuple[str, ...], origins: tuple[int, ...]) -> str:
    own = [frame for frame, origin in zip(frames, origins, strict=True) if origin == OWN]
    return own[-1] if own else ""


def _coverage(a: SideData, b: SideData, change: Planted, fleet: Fleet) -> tuple[int, int]:
    """How many intervals of functions hold the true rise, of how many.

    All that were tested: a comparison lists only the largest differences.
    """
    index = index_functions((*change.stacks, *OTHER_STACKS))
    hosts = sorted(set(a.requests.host.tolist()))
    left, right = (parts_of(side, hosts)[ENDPOINT] for side in (a, b))
    test = function_test(left, right, ENDPOINT, index, len(hosts))
    if test is None:
        return 0, 0
    rise = np.zeros(index.inclusive.shape[1])
    rise[: len(change.before)] = (change.after - change.before) * fleet.speed.mean()
    own = np.array(index.origins) == OWN
    true = np.where(own, index.answerable @ rise, index.own_self @ rise)
    of = dict(zip(index.functions, true.tolist(), strict=True))
    held = [one.difference.low <= of[one.function] <= one.difference.high for one in test.changes]
    return sum(held), len(held)
