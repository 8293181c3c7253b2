"""A made-up service: a call tree of 300 functions, and changes planted in it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from profiler.calltree import Stack
from profiler.vocabulary import ORIGINS

__all__ = ["KINDS", "Planted", "Service", "make_service", "plant"]

Floats = npt.NDArray[np.float64]

KINDS = ("self", "calls", "library", "c", "new")
OWN, PACKAGE, STDLIB, NATIVE = range(len(ORIGINS))
FUNCTIONS = 300
DEPTH_MAX = 9
REQUEST_NS = 10e6
#: A change by more calls makes at most this many times as many.
TIMES_MAX = 6.0
#: `dynoscope profile` takes 20 on each host.
PROFILED = 20 * 12


@dataclass(frozen=True, slots=True)
class Service:
    """A node of the call tree is a stack; `cost_ns` is what ends in it, per request."""

    stacks: tuple[Stack, ...]
    parent: tuple[int, ...]
    cost_ns: Floats
    calls: Floats
    """of the node, per call of its parent"""


@dataclass(frozen=True, slots=True)
class Planted:
    """A change: the function to be named, the one whose answerable cost rises, and the rise."""

    kind: str
    guilty: str
    riser: str
    rise_ns: float
    stacks: tuple[Stack, ...]
    before: Floats
    after: Floats
    calls_before: dict[tuple[str, str], tuple[float, int]]
    calls_after: dict[tuple[str, str], tuple[float, int]]


def make_service(rng: np.random.Generator) -> Service:
    stacks = [Stack(("app.views:view",), (OWN,))]
    parent, made = [-1], 1
    while made < FUNCTIONS:
        at = int(rng.integers(len(stacks)))
        above = stacks[at]
        if above.origins[-1] != OWN or len(above.frames) >= DEPTH_MAX:
            continue
        origin = int(rng.choice(4, p=(0.6, 0.2, 0.12, 0.08)))
        name = f"{('app', 'package', 'stdlib', 'native')[origin]}.m{made % 17}:f{made}"
        if rng.random() < 0.3:  # a function that others call, too
            known = [one for one in stacks if one.origins[-1] == origin]
            name = known[int(rng.integers(len(known)))].frames[-1] if known else name
        if name in above.frames or any(
            stacks[child].frames[-1] == name for child, up in enumerate(parent) if up == at
        ):
            continue
        made += name.endswith(f":f{made}")
        stacks.append(Stack((*above.frames, name), (*above.origins, origin)))
        parent.append(at)
    cost = rng.lognormal(0, 1.3, len(stacks))
    return Service(
        tuple(stacks), tuple(parent), cost / cost.sum() * REQUEST_NS, rng.uniform(1, 2, len(stacks))
    )


def plant(service: Service, kind: str, share: float, rng: np.random.Generator) -> Planted:
    """A rise of `share` of the request's cost in a random place that this kind may have."""
    rise = share * REQUEST_NS
    place = int(rng.choice(_places(service, kind, rise)))
    stacks, before, after = list(service.stacks), service.cost_ns.copy(), service.cost_ns.copy()
    calls = service.calls.copy()
    name = stacks[place].frames[-1]
    above = stacks[place].frames[-2] if len(stacks[place].frames) > 1 else ""
    guilty = riser = name
    if kind == "self":
        everywhere = np.array([stack.frames[-1] == name for stack in stacks])
        after[everywhere] += rise * service.cost_ns[everywhere] / before[everywhere].sum()
    elif kind == "calls":
        guilty, riser = above, _largest(service, place)
        inside = _subtree(service, place)
        factor = 1 + rise / before[inside].sum()
        after[inside] *= factor
        calls[place] *= factor
    elif kind in ("library", "c"):
        guilty = riser = above
        same = np.array([stack.frames[-2:] == (above, name) for stack in stacks])
        after[same] += rise * before[same] / before[same].sum()
    else:
        guilty = riser = "app.new:fresh"
        top = stacks[place]
        stacks.append(Stack((*top.frames, guilty), (*top.origins, OWN)))
        before, after = np.append(before, 0.0), np.append(after, rise)
    return Planted(
        kind, guilty, riser, rise, tuple(stacks), before, after,
        _counted(service, service.calls, rng), _counted(service, calls, rng),
    )  # fmt: skip


def _places(service: Service, kind: str, rise: float) -> list[int]:
    wanted = {
        "self": (OWN,),
        "calls": (OWN,),
        "new": (OWN,),
        "library": (PACKAGE, STDLIB),
        "c": (NATIVE,),
    }
    found = []
    for at, stack in enumerate(service.stacks):
        if stack.origins[-1] not in wanted[kind] or (kind != "new" and at == 0):
            continue
        if kind == "calls" and service.cost_ns[_subtree(service, at)].sum() < rise / (
            TIMES_MAX - 1
        ):
            continue
        if kind in ("library", "c") and not _always_called(service, stack.frames[-2:]):
            continue
        found.append(at)
    return found


def _always_called(service: Service, pair: tuple[str, ...]) -> bool:
    """Whether the function calls it wherever the function itself is called."""
    above = sum(stack.frames[-1] == pair[0] for stack in service.stacks)
    return above == sum(stack.frames[-2:] == pair for stack in service.stacks)


def _subtree(service: Service, place: int) -> npt.NDArray[np.bool_]:
    top = service.stacks[place].frames
    return np.array([stack.frames[: len(top)] == top for stack in service.stacks])


def _largest(service: Service, place: int) -> str:
    """The function of the subtree that is answerable for most of it."""
    sums: dict[str, float] = {}
    for at in np.flatnonzero(_subtree(service, place)).tolist():
        own = [
            frame
            for frame, origin in zip(
                service.stacks[at].frames, service.stacks[at].origins, strict=True
            )
            if origin == OWN
        ]
        sums[own[-1]] = sums.get(own[-1], 0.0) + float(service.cost_ns[at])
    return max(sums, key=lambda name: sums[name])


def _counted(
    service: Service, calls: Floats, rng: np.random.Generator
) -> dict[tuple[str, str], tuple[float, int]]:
    """(caller, function) -> (calls per request, requests), counted in deeply profiled requests."""
    found: dict[tuple[str, str], float] = {}
    every = np.ones(len(calls))
    for at in range(1, len(calls)):
        every[at] = every[service.parent[at]] * calls[at]
        pair = (service.stacks[at].frames[-2], service.stacks[at].frames[-1])
        mean = rng.poisson(every[at] * PROFILED) / PROFILED
        found[pair] = found.get(pair, 0.0) + float(mean)
    return {pair: (mean, PROFILED) for pair, mean in found.items()}
