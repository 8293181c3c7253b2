"""Cost that only moved between a caller and its callee, or between siblings, has not risen.

The idea is FBDetect's (SOSP 2024, doi:10.1145/3694715.3695977, section 5.4): where a function rose
and what it belongs to did not, something else there fell as much. What a function belongs to is
each own-code caller that most of its samples have above them, the nearest first, and at last the
endpoint itself. A caller whose own cost is known too coarsely to see the rise tells nothing.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from profiler.calltree import OWN, FunctionIndex
from profiler.functions import FunctionTest
from profiler.records import FunctionChange
from profiler.samples import cost_of
from profiler.statistics import difference

__all__ = ["with_moves"]

Floats = npt.NDArray[np.float64]

#: A caller counts as a function's domain where it is above this share of the function's samples.
ABOVE_MIN = 0.8
#: The domain may have risen by this share of the function's rise, and no more even at the upper end
#: of its interval than RULED_OUT of it; what fell must make up FALL_MIN of it.
RISEN_MAX = 0.3
RULED_OUT = 0.7
FALL_MIN = 0.5


def with_moves(test: FunctionTest, index: FunctionIndex) -> tuple[FunctionChange, ...]:
    """The endpoint's functions, with risers and fallers of one domain called moved."""
    rising = [c for c in test.changes if c.verdict == "regression" and c.origin == OWN]
    falling = [c for c in test.changes if c.verdict == "improvement" and c.origin == OWN]
    partners: dict[str, str] = {}
    number = {name: at for at, name in enumerate(index.functions)}
    for riser in sorted(rising, key=lambda change: -change.difference.value):
        free = [change for change in falling if change.function not in partners]
        faller = _partner(riser, free, test, index, number)
        if faller is not None:
            partners[riser.function] = faller.function
            partners[faller.function] = riser.function
    return tuple(
        replace(change, verdict="moved", moved_with=partners[change.function])
        if change.function in partners
        else change
        for change in test.changes
    )


def _partner(
    riser: FunctionChange,
    falling: Sequence[FunctionChange],
    test: FunctionTest,
    index: FunctionIndex,
    number: dict[str, int],
) -> FunctionChange | None:
    rise = riser.difference.value
    enough = [one for one in falling if -one.difference.value >= FALL_MIN * rise]
    for members in _domains(number[riser.function], test, index) if enough else ():
        spread = difference(cost_of(test.a, members[None]), cost_of(test.b, members[None]))
        if abs(spread.value[0]) > RISEN_MAX * rise or not spread.high[0] < RULED_OUT * rise:
            continue
        inside = [
            one for one in enough if _share_inside(number[one.function], members, test, index)
        ]
        if inside:
            return min(inside, key=lambda one: abs(one.difference.value + rise))
    return None


def _domains(at: int, test: FunctionTest, index: FunctionIndex) -> list[Floats]:
    """Stacks (S,) of each domain, the smallest first."""
    weight = test.a.weight.sum(axis=1) + test.b.weight.sum(axis=1)
    mine = np.asarray(index.answerable[at].todense()).reshape(-1) * weight
    own = np.array(index.origins) == OWN
    above = np.flatnonzero(own & (index.inclusive @ mine >= ABOVE_MIN * mine.sum()))
    sizes = index.inclusive[above] @ weight
    order = above[np.argsort(sizes, kind="stable")]
    domains = [
        np.asarray(index.inclusive[p].todense()).reshape(-1) for p in order.tolist() if p != at
    ]
    return [*domains, np.ones(len(weight))]


def _share_inside(at: int, members: Floats, test: FunctionTest, index: FunctionIndex) -> bool:
    """Whether most of a function's own cost on side a lay in the domain."""
    mine = np.asarray(index.answerable[at].todense()).reshape(-1) * test.a.weight.sum(axis=1)
    return bool(mine @ members >= ABOVE_MIN * mine.sum() > 0)
