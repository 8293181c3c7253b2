"""From stacks to functions and to a call tree. Stacks are root first, `module:qualname`."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from profiler.records import FlameGraph
from profiler.vocabulary import ORIGINS

__all__ = ["FunctionIndex", "Stack", "flame_graph", "index_functions"]

OWN = ORIGINS.index("own")
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Stack:
    """One distinct stack, root first; `origins[i]` is an index into ORIGINS."""

    frames: tuple[str, ...]
    origins: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class FunctionIndex:
    """Which stacks (S) contain which functions (F), as sparse 0/1 matrices of shape (F, S)."""

    functions: tuple[str, ...]
    origins: tuple[int, ...]
    inclusive: sparse.csr_matrix
    """the function is somewhere in the stack (once, however deep it recurses)"""
    own_self: sparse.csr_matrix
    """the function is the stack's last frame"""
    answerable: sparse.csr_matrix
    """the function is the deepest own-code frame: library and C code below it is counted to it"""


def index_functions(stacks: Sequence[Stack]) -> FunctionIndex:
    """The functions of the stacks in order of appearance, and where they stand."""
    number: dict[str, int] = {}
    origins: list[int] = []
    inclusive: set[tuple[int, int]] = set()
    own_self: list[tuple[int, int]] = []
    answerable: list[tuple[int, int]] = []
    for at, stack in enumerate(stacks):
        deepest_own = -1
        last = -1
        for frame, origin in zip(stack.frames, stack.origins, strict=True):
            last = number.setdefault(frame, len(number))
            if last == len(origins):
                origins.append(origin)
            inclusive.add((last, at))
            if origin == OWN:
                deepest_own = last
        if last >= 0:
            own_self.append((last, at))
        if deepest_own >= 0:
            answerable.append((deepest_own, at))
    shape = (len(number), len(stacks))
    return FunctionIndex(
        tuple(number),
        tuple(origins),
        _matrix(sorted(inclusive), shape),
        _matrix(own_self, shape),
        _matrix(answerable, shape),
    )


def _matrix(places: Sequence[tuple[int, int]], shape: tuple[int, int]) -> sparse.csr_matrix:
    rows, columns = np.array(places, dtype=np.int64).reshape(-1, 2).T
    return sparse.csr_matrix((np.ones(len(places)), (rows, columns)), shape=shape)


@dataclass(slots=True)
class _Node:
    name: str
    parent: int
    origin: int
    a: float = 0.0
    b: float = 0.0


def flame_graph(
    stacks: Sequence[Stack],
    weight_a: Floats,
    weight_b: Floats | None,
    *,
    samples_a: int,
    samples_b: int = 0,
    nodes_max: int = 50_000,
    share_min: float = 0.0005,
) -> FlameGraph:
    """The call tree of both sides as shares of each side's samples.

    `weight_a`, `weight_b`: (S,) weight of each stack. Nodes below `share_min` on both sides are
    left out, and the threshold rises until at most `nodes_max` remain; what went is counted.
    """
    nodes = _build(stacks, weight_a, weight_b if weight_b is not None else np.zeros_like(weight_a))
    total_a, total_b = max(nodes[0].a, 1e-300), max(nodes[0].b, 1e-300)
    shares = [(node.a / total_a, node.b / total_b) for node in nodes]
    kept, pruned = _prune(nodes, shares, share_min, nodes_max)
    place = {old: new for new, old in enumerate(kept)}
    return FlameGraph(
        name=tuple(nodes[old].name for old in kept),
        parent=tuple(place.get(nodes[old].parent, -1) for old in kept),
        origin=tuple(nodes[old].origin for old in kept),
        share_a=tuple(shares[old][0] for old in kept),
        share_b=tuple(shares[old][1] for old in kept) if weight_b is not None else (),
        samples_a=samples_a,
        samples_b=samples_b,
        pruned_share=pruned,
    )


def _build(stacks: Sequence[Stack], weight_a: Floats, weight_b: Floats) -> list[_Node]:
    nodes = [_Node("all", -1, OWN)]
    child: dict[tuple[int, str], int] = {}
    for stack, a, b in zip(stacks, weight_a.tolist(), weight_b.tolist(), strict=True):
        at = 0
        nodes[0].a += a
        nodes[0].b += b
        for frame, origin in zip(stack.frames, stack.origins, strict=True):
            below = child.setdefault((at, frame), len(nodes))
            if below == len(nodes):
                nodes.append(_Node(frame, at, origin))
            at = below
            nodes[at].a += a
            nodes[at].b += b
    return nodes


def _prune(
    nodes: list[_Node], shares: list[tuple[float, float]], share_min: float, nodes_max: int
) -> tuple[list[int], float]:
    """Nodes to keep in order (parents before children), and the share that went with the rest."""
    sizes = np.array([max(pair) for pair in shares])
    if len(nodes) > nodes_max:
        share_min = max(share_min, float(np.sort(sizes)[-nodes_max]))
    keep = sizes >= share_min
    keep[0] = True
    if keep.sum() > nodes_max:  # many nodes of exactly the threshold's size
        keep = sizes > share_min
        keep[0] = True
    # A child is never larger than its parent, so a kept node's parent is kept.
    pruned = [
        pair for at, pair in enumerate(shares) if not keep[at] and keep[max(nodes[at].parent, 0)]
    ]
    lost = max((sum(side) for side in zip(*pruned, strict=True)), default=0.0)
    return np.flatnonzero(keep).tolist(), float(lost)
