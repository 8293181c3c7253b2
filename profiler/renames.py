"""Functions that were renamed, or moved to another module, between two sides.

A name that vanished and a name that appeared are one function where what calls them and what they
call is alike: the shares of their callers, and of their callees (their own cost is one of these),
overlap (sum of minima, the histogram intersection of Swain and Ballard 1991, Int. J. Comput. Vis.
7:11), and each is the other's best match. Matching goes on while it finds more, since a moved
module renames the callers with their callees.
"""

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from profiler.calltree import OWN, Stack

__all__ = ["renamed", "with_names"]

Floats = npt.NDArray[np.float64]

#: Expected samples on the side where it is missing below which a function may be missing by chance.
EXPECTED_MIN = 12
ALIKE_MIN = 0.6
#: A namesake in another module may differ more.
NAMESAKE_MIN = 0.4
#: The dearer of two may cost this many times the other.
COST_MAX = 3.0
ROUNDS_MAX = 5


@dataclass(slots=True)
class _Around:
    """A function's neighbours, by weight."""

    weight: float = 0.0
    callers: Counter[str] = field(default_factory=Counter)
    callees: Counter[str] = field(default_factory=Counter)


def renamed(stacks: Sequence[Stack], samples_a: Floats, samples_b: Floats) -> dict[str, str]:
    """New name -> old name. `samples_a`, `samples_b`: (S,) of each stack."""
    found: dict[str, str] = {}
    names = [_names_of(stacks, samples) for samples in (samples_a, samples_b)]
    if not names[0] - names[1] or not names[1] - names[0]:
        return found
    for _ in range(ROUNDS_MAX):
        named = with_names(stacks, {old: new for new, old in found.items()})
        a, b = _around(named, samples_a), _around(named, samples_b)
        total_a, total_b = max(samples_a.sum(), 1), max(samples_b.sum(), 1)
        gone = [
            name
            for name in a.keys() - b.keys()
            if a[name].weight * total_b / total_a >= EXPECTED_MIN
        ]
        new = [
            name
            for name in b.keys() - a.keys()
            if b[name].weight * total_a / total_b >= EXPECTED_MIN
        ]
        more = _matched(sorted(gone), sorted(new), a, b, total_a / total_b)
        if not more:
            break
        found |= more
    return found


def with_names(stacks: Sequence[Stack], names: Mapping[str, str]) -> list[Stack]:
    """The stacks with functions called by other names."""
    if not names:
        return list(stacks)
    return [
        replace(stack, frames=tuple(names.get(frame, frame) for frame in stack.frames))
        for stack in stacks
    ]


def _names_of(stacks: Sequence[Stack], samples: Floats) -> set[str]:
    """Every function in stacks with samples."""
    return set().union(*(stacks[at].frames for at in np.flatnonzero(samples).tolist()))


def _around(stacks: Sequence[Stack], samples: Floats) -> dict[str, _Around]:
    """Own functions by name; a function counts once a stack, where it is entered first."""
    found: dict[str, _Around] = {}
    for stack, weight in zip(stacks, samples.tolist(), strict=True):
        if not weight:
            continue
        seen = set()
        for at, (frame, origin) in enumerate(zip(stack.frames, stack.origins, strict=True)):
            if origin != OWN or frame in seen:
                continue
            seen.add(frame)
            around = found.get(frame)
            if around is None:
                around = found[frame] = _Around()
            around.weight += weight
            around.callers[stack.frames[at - 1] if at else ""] += weight
            below = stack.frames[at + 1] if at + 1 < len(stack.frames) else ""
            around.callees[below] += weight
    return found


def _matched(
    gone: Sequence[str],
    new: Sequence[str],
    a: Mapping[str, _Around],
    b: Mapping[str, _Around],
    scale: float,
) -> dict[str, str]:
    """New -> old, where each is the other's best."""
    if not gone or not new:
        return {}
    scores = np.array([[_score(old, name, a[old], b[name], scale) for name in new] for old in gone])
    pairs = {}
    for at, old in enumerate(gone):
        best = int(scores[at].argmax())
        if scores[at, best] > 0 and int(scores[:, best].argmax()) == at:
            pairs[new[best]] = old
    return pairs


def _score(old: str, new: str, a: _Around, b: _Around, scale: float) -> float:
    """How alike, 0 to 1; 0 where they are not one function."""
    ratio = a.weight / (b.weight * scale)
    if not 1 / COST_MAX <= ratio <= COST_MAX:
        return 0.0
    callers, callees = _overlap(a.callers, b.callers), _overlap(a.callees, b.callees)
    namesake = _bare(old) == _bare(new)
    if min(callers, callees) < (NAMESAKE_MIN if namesake else ALIKE_MIN):
        return 0.0
    return (callers + callees + min(ratio, 1 / ratio) + namesake) / 4


def _overlap(a: Counter[str], b: Counter[str]) -> float:
    """Neighbours on one side only may have moved themselves: their modules do not count."""
    only = a.keys() ^ b.keys()
    a, b = (_bared(side, only) for side in (a, b))
    total_a, total_b = sum(a.values()), sum(b.values())
    return sum(min(a[name] / total_a, b[name] / total_b) for name in a.keys() & b.keys())


def _bared(side: Counter[str], names: Set[str]) -> Counter[str]:
    found: Counter[str] = Counter()
    for name, weight in side.items():
        found[_bare(name) if name in names else name] += weight
    return found


def _bare(name: str) -> str:
    """`Ranker.rank` of `feed.ranking:Ranker.rank`."""
    return name.rpartition(":")[2]
