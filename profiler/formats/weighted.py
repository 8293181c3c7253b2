"""What profile files are made of: stacks with the samples and the CPU time that end in them."""

from collections.abc import Sequence
from dataclasses import dataclass

from profiler.records import FlameGraph

__all__ = ["FormatError", "WeightedStack", "stacks_of"]


class FormatError(ValueError):
    """A file is not what it was taken for; the message says where and why."""


@dataclass(frozen=True, slots=True)
class WeightedStack:
    """Root first. `cpu_ns` 0: the file does not say."""

    frames: tuple[str, ...]
    samples: int
    cpu_ns: int = 0


def stacks_of(graph: FlameGraph, side: str = "a", cpu_ns: float = 0.0) -> list[WeightedStack]:
    """The stacks of one side of a call tree; `cpu_ns`: CPU time that all its samples stand for.

    Samples are whole numbers that sum to the side's samples (largest remainders).
    """
    shares = graph.share_a if side == "a" else graph.share_b
    total = graph.samples_a if side == "a" else graph.samples_b
    own = list(shares)
    for at, parent in enumerate(graph.parent):
        if parent >= 0:
            own[parent] -= shares[at]
    paths = _paths(graph)
    counts = _whole([max(share, 0.0) for share in own], total)
    return [
        WeightedStack(paths[at], counts[at], round(max(own[at], 0.0) * cpu_ns))
        for at in range(1, len(paths))
        if counts[at] > 0
    ]


def _paths(graph: FlameGraph) -> list[tuple[str, ...]]:
    paths: list[tuple[str, ...]] = []
    for name, parent in zip(graph.name, graph.parent, strict=True):
        paths.append((*paths[parent], name) if parent >= 0 else ())
    return paths


def _whole(shares: Sequence[float], total: int) -> list[int]:
    exact = [share * total for share in shares]
    counts = [int(value) for value in exact]
    missing = min(total, round(sum(exact))) - sum(counts)
    byrest = sorted(range(len(exact)), key=lambda at: counts[at] - exact[at])
    for at in byrest[: max(missing, 0)]:
        counts[at] += 1
    return counts
