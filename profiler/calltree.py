"""From stacks to functions and to a call tree. Stacks are root first, `module:qualname`."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from profiler.merging import Merger
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
    inclusive: list[tuple[int, int]] = []
    own_self: list[tuple[int, int]] = []
    answerable: list[tuple[int, int]] = []
    for at, stack in enumerate(stacks):
        functions = [number.setdefault(frame, len(number)) for frame in stack.frames]
        deepest_own = -1
        for function, origin in zip(functions, stack.origins, strict=True):
            if function == len(origins):
                origins.append(origin)
            if origin == OWN:
                deepest_own = function
        inclusive += [(function, at) for function in dict.fromkeys(functions)]
        if functions:
            own_self.append((functions[-1], at))
        if deepest_own >= 0:
            answerable.append((deepest_own, at))
    shape = (len(number), len(stacks))
    return FunctionIndex(
        tuple(number),
        tuple(origins),
        _matrix(inclusive, shape),
        _matrix(own_self, shape),
        _matrix(answerable, shape),
    )


def _matrix(places: Sequence[tuple[int, int]], shape: tuple[int, int]) -> sparse.csr_matrix:
    """Ones at (function, stack); `places` by stack. Made without a detour over another form: a
    comparison makes hundreds of small ones."""
    rows, columns = np.array(places, dtype=np.int32).reshape(-1, 2).T
    order = np.argsort(rows, kind="stable")
    ends = np.zeros(shape[0] + 1, dtype=np.int32)
    np.cumsum(np.bincount(rows, minlength=shape[0]), out=ends[1:])
    return sparse.csr_matrix((np.ones(len(rows)), columns[order], ends), shape=shape)


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
    merged = Merger(nodes_held=max(8 * nodes_max, 1))
    other = weight_b if weight_b is not None else np.zeros_like(weight_a)
    frames, origins = [stack.frames for stack in stacks], [stack.origins for stack in stacks]
    merged.fill(frames, origins, weight_a, other)
    return merged.graph(
        two=weight_b is not None,
        samples_a=samples_a,
        samples_b=samples_b,
        nodes_max=nodes_max,
        share_min=share_min,
    )
