"""Of which endpoints functions are compared, where hosts are many and endpoints are hundreds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from profiler.endpoints import SIGNIFICANCE
from profiler.parts import Part
from profiler.records import EndpointChange

__all__ = ["DETAILED_MAX", "Detail", "detailed"]

DETAILED_MAX = 100


@dataclass(frozen=True, slots=True)
class Detail:
    """`endpoints` in order of their names; `share` of all thread CPU time, 0..1; `others`: how many
    are left out."""

    endpoints: tuple[str, ...]
    share: float
    others: int


def detailed(
    measured: Sequence[EndpointChange], sides: Sequence[Mapping[str, Part]], most: int
) -> Detail:
    """Those whose cost per request surely changed, and those that use most CPU."""
    names = list(dict.fromkeys(change.endpoint for change in measured))
    clock_ns = {name: sum(_clock_ns(side.get(name)) for side in sides) for name in names}
    changed = {change.endpoint for change in measured if change.p_corrected < SIGNIFICANCE}
    ordered = sorted(names, key=lambda name: (name not in changed, -clock_ns[name]))
    chosen = set(ordered[:most])
    every = sum(clock_ns.values())
    mine = sum(clock_ns[name] for name in chosen)
    return Detail(
        tuple(name for name in names if name in chosen),
        mine / every if every else 1.0,
        len(names) - len(chosen),
    )


def _clock_ns(part: Part | None) -> float:
    return float(part.requests.task_clock_ns.sum()) if part else 0.0
