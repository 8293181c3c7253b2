"""Which function to look at first: more calls blame the caller, dearer calls the callee.

The candidate is the own-code function whose answerable cost (its own, with the library and C code
that it calls) rose most, if that rise is certain. Whether it is called more often, or each call is
dearer, is told by, in this order: counted calls, where requests of both sides were deeply profiled;
its other callers, which a dearer call makes dearer too; the other parts of what it calls, which
more calls raise alike. Where nothing tells, it stays with the function.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from profiler.calltree import OWN, Stack
from profiler.functions import FunctionTest, interval_at
from profiler.records import FunctionChange, Interval
from profiler.samples import cost_of
from profiler.statistics import difference

__all__ = ["Calls", "guilty_function"]

Floats = npt.NDArray[np.float64]

#: (caller, function) -> (calls per request, requests in which they were counted)
Calls = Mapping[tuple[str, str], tuple[float, int]]

#: An expected rise must be this many standard errors for its absence, or presence, to tell.
TELLING = 5.0
TELLING_CALLS = 4.0
#: Share of a rise that more calls must explain, and that uniformity allows a part to miss.
EXPLAINED = 0.5
STEPS_MAX = 5


@dataclass(frozen=True, slots=True)
class _Part:
    """A set of stacks on both sides, ns per request."""

    a: float
    rise: float
    error: float
    interval: Interval


def guilty_function(
    test: FunctionTest, stacks: Sequence[Stack], calls_a: Calls, calls_b: Calls
) -> FunctionChange | None:
    """None where no function's rise is certain."""
    rising = [c for c in test.changes if c.origin == OWN and c.verdict == "regression"]
    candidate = max(rising, key=lambda change: change.difference.value, default=None)
    return candidate and _blamed(candidate, test, stacks, calls_a, calls_b)


def _blamed(
    candidate: FunctionChange,
    test: FunctionTest,
    stacks: Sequence[Stack],
    calls_a: Calls,
    calls_b: Calls,
) -> FunctionChange:
    """Climb from the candidate to the largest thing that rose as a whole; its caller called it."""
    known = {change.function: change for change in test.changes}
    own = [_own_frames(stack) for stack in stacks]
    guilty, unit, whole = candidate, candidate.function, False
    focus = _deepest(own, unit)
    if _alike(_member(own, unit), focus, test):
        focus, whole = _member(own, unit), True
    for _ in range(STEPS_MAX):
        edges = _edges(own, unit)
        caller, edge = _dearest(edges, test)
        if caller not in known or edge is None or edge.a <= 0:
            break
        pair = (caller, unit)
        counts = calls_a.get(pair, (0.0, 0)), calls_b.get(pair, (0.0, 0))
        told = _more_calls(*counts, edge)
        counted = told is not None
        if told is None:
            told = _under_one(edges, caller, edge, test)
        if told is False:
            break
        if told is None and _alike(_member(own, caller), focus, test):
            unit, focus, whole = caller, _member(own, caller), True
            continue
        if told is None and not whole:
            break
        said = f" ({counts[0][0]:.3g} to {counts[1][0]:.3g} calls a request)" if counted else ""
        why = f"it calls {unit} more often{said}"
        guilty = _as_caller(known[caller], edge, candidate, test, why)
        if not counted:
            break
        unit, focus, whole = caller, edges[caller], False
    return guilty


def _as_caller(
    caller: FunctionChange, edge: _Part, candidate: FunctionChange, test: FunctionTest, why: str
) -> FunctionChange:
    return replace(
        caller,
        verdict="regression",
        difference=edge.interval,
        p_value=candidate.p_value,
        p_corrected=candidate.p_corrected,
        rise_share=edge.rise / test.rise_ns if test.rise_ns else float("nan"),
        why=why,
    )


def _more_calls(a: tuple[float, int], b: tuple[float, int], edge: _Part) -> bool | None:
    """Whether more calls explain the rise; None where too few were counted to see that many more.

    Counts are taken for Poisson's: the difference of two means has the variance a / n + b / m.
    """
    if not a[1] or not b[1] or a[0] <= 0:
        return None
    wanted = a[0] * edge.rise / edge.a
    error = float(np.sqrt(a[0] / a[1] + b[0] / b[1]))
    if wanted <= TELLING_CALLS * error:
        return None
    return b[0] - a[0] >= EXPLAINED * wanted


def _under_one(
    edges: Mapping[str, Floats], caller: str, edge: _Part, test: FunctionTest
) -> bool | None:
    """Whether the rise is under this caller only; None where other callers cannot tell."""
    others = [stacks for name, stacks in edges.items() if name != caller]
    if not others:
        return None
    rest = _part(np.clip(np.sum(others, axis=0), 0, 1), test)
    expected = rest.a * edge.rise / edge.a
    if expected <= TELLING * rest.error:
        return None
    return bool(rest.rise < EXPLAINED * expected)


def _alike(every: Floats, focus: Floats, test: FunctionTest) -> bool:
    """Whether the rest of these stacks rose in the same proportion as `focus`."""
    part, rest = _part(focus * every, test), _part(np.clip(every - focus, 0, 1), test)
    if part.a <= 0:
        return False
    expected = rest.a * part.rise / part.a
    if expected <= TELLING * rest.error or rest.rise <= 2 * rest.error:
        return False
    return EXPLAINED * expected <= rest.rise <= expected / EXPLAINED


def _part(members: Floats, test: FunctionTest) -> _Part:
    spread = difference(cost_of(test.a, members[None]), cost_of(test.b, members[None]))
    error = float(spread.high[0] - spread.value[0]) / 2
    if not np.isfinite(error):
        error = float("inf")
    return _Part(float(spread.a[0]), float(spread.value[0]), error, interval_at(spread, 0))


def _dearest(edges: Mapping[str, Floats], test: FunctionTest) -> tuple[str, _Part | None]:
    """The caller under which the function rose most."""
    parts = {caller: _part(members, test) for caller, members in edges.items()}
    caller = max(parts, key=lambda name: parts[name].rise, default="")
    return caller, parts.get(caller)


def _own_frames(stack: Stack) -> tuple[str, ...]:
    return tuple(
        frame for frame, origin in zip(stack.frames, stack.origins, strict=True) if origin == OWN
    )


def _edges(own: Sequence[tuple[str, ...]], function: str) -> dict[str, Floats]:
    """Caller -> stacks (S,) in which it is the nearest own code above the function's first call."""
    edges: dict[str, Floats] = {}
    for at, frames in enumerate(own):
        place = frames.index(function) if function in frames else 0
        if place > 0:
            edges.setdefault(frames[place - 1], np.zeros(len(own)))[at] = 1
    return edges


def _member(own: Sequence[tuple[str, ...]], function: str) -> Floats:
    return np.array([float(function in frames) for frames in own])


def _deepest(own: Sequence[tuple[str, ...]], function: str) -> Floats:
    return np.array([float(bool(frames) and frames[-1] == function) for frames in own])
