"""Stacks merged into one call tree, in bounded memory however many distinct ones there are."""

from collections.abc import Sequence
from itertools import chain

import numpy as np
import numpy.typing as npt

from profiler.records import FlameGraph

__all__ = ["NEW", "VANISHED", "Merger"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

NEW, VANISHED = 1, 2
#: Samples that the other side would have by the share on this one, below which none says nothing:
#: with 5 expected, none is seen once in 150 times.
EXPECTED_MIN = 5.0
OWN = 0


class Merger:
    """A call tree that grows stack by stack and never holds more than `nodes_held` nodes.

    Past that, its smallest subtrees are folded into their callers, as lossy counting does for flat
    counts (Manku and Motwani 2002, VLDB, 4.2): a caller keeps its whole weight, what was told apart
    beneath it is lost, and how much weight that was is kept with the caller.
    """

    def __init__(self, nodes_held: int = 400_000) -> None:
        self._held = nodes_held
        self._names: dict[str, int] = {}
        self._origins: list[int] = [OWN]
        self._name = [0]
        self._parent = [-1]
        self._a = [0.0]
        self._b = [0.0]
        self._child: dict[tuple[int, int], int] = {}
        self._names["all"] = 0
        self._gone_a = [0.0]
        self._gone_b = [0.0]

    def __len__(self) -> int:
        return len(self._parent)

    def add(
        self, frames: Sequence[str], origins: Sequence[int], weight_a: float, weight_b: float = 0.0
    ) -> None:
        """A stack, root first, with its weight on each side."""
        if not self._child:
            self._index()
        at = 0
        self._a[0] += weight_a
        self._b[0] += weight_b
        for frame, origin in zip(frames, origins, strict=True):
            number = self._names.setdefault(frame, len(self._origins))
            if number == len(self._origins):
                self._origins.append(origin)
            below = self._child.get((at, number))
            if below is None:
                below = len(self._parent)
                self._child[at, number] = below
                self._name.append(number)
                self._parent.append(at)
                self._a.append(0.0)
                self._b.append(0.0)
                self._gone_a.append(0.0)
                self._gone_b.append(0.0)
            at = below
            self._a[at] += weight_a
            self._b[at] += weight_b
        if len(self._parent) > self._held:
            self._fold()

    def fill(
        self,
        stacks: Sequence[tuple[str, ...]],
        origins: Sequence[tuple[int, ...]],
        weight_a: Floats,
        weight_b: Floats,
    ) -> None:
        """What `add` does, for all of many stacks at once; only into an empty tree."""
        if len(self) > 1 or sum(map(len, stacks)) >= self._held:
            for frames, origin, a, b in zip(
                stacks, origins, weight_a.tolist(), weight_b.tolist(), strict=True
            ):
                self.add(frames, origin, a, b)
            return
        names, first, code = _numbered(stacks)
        self._names |= {name: number for number, name in enumerate(names, 1)}
        every = list(chain.from_iterable(origins))
        self._origins += [every[at] for at in first]
        parent, name, node, stack = _nodes(code + 1, [len(frames) for frames in stacks])
        self._parent, self._name = parent.tolist(), name.tolist()
        self._a, self._b = (
            [float(weight.sum()), *np.bincount(node, weight[stack], len(parent))[1:].tolist()]
            for weight in (weight_a, weight_b)
        )
        self._gone_a, self._gone_b = [0.0] * len(parent), [0.0] * len(parent)

    def _fold(self) -> None:
        """Keep the larger half."""
        sizes = np.maximum(*self._shares())
        keep = sizes > np.partition(sizes, len(sizes) // 2)[len(sizes) // 2]
        keep[0] = True
        for at in self._tops(keep):
            # What was lost within it before goes with it: it is part of its weight.
            self._gone_a[self._parent[at]] += self._a[at]
            self._gone_b[self._parent[at]] += self._b[at]
        kept = np.flatnonzero(keep).tolist()
        place = {old: new for new, old in enumerate(kept)}
        self._name = [self._name[old] for old in kept]
        self._parent = [place.get(self._parent[old], -1) for old in kept]
        self._a = [self._a[old] for old in kept]
        self._b = [self._b[old] for old in kept]
        self._gone_a = [self._gone_a[old] for old in kept]
        self._gone_b = [self._gone_b[old] for old in kept]
        self._index()
        self._drop_names()

    def _index(self) -> None:
        pairs = zip(self._parent[1:], self._name[1:], strict=True)
        self._child = {pair: at for at, pair in enumerate(pairs, 1)}

    def _drop_names(self) -> None:
        used = sorted(set(self._name))
        place = {old: new for new, old in enumerate(used)}
        texts = list(self._names)
        self._names = {texts[old]: new for new, old in enumerate(used)}
        self._origins = [self._origins[old] for old in used]
        self._name = [place[old] for old in self._name]
        self._child = {(parent, place[name]): at for (parent, name), at in self._child.items()}

    def _shares(self) -> tuple[Floats, Floats]:
        a, b = np.array(self._a), np.array(self._b)
        return a / max(a[0], 1e-300), b / max(b[0], 1e-300)

    def _tops(self, keep: npt.NDArray[np.bool_]) -> list[int]:
        """The roots of the subtrees that go."""
        parents = np.maximum(np.array(self._parent), 0)
        tops: list[int] = np.flatnonzero(~keep & keep[parents]).tolist()
        return tops

    def graph(
        self, *, two: bool, samples_a: int, samples_b: int, nodes_max: int, share_min: float
    ) -> FlameGraph:
        """At most `nodes_max` nodes, none smaller than `share_min` on both sides."""
        a, b = self._shares()
        sizes = np.maximum(a, b)
        keep = _large(sizes, share_min, nodes_max)
        gone = self._tops(keep)
        lost_a = np.array(self._gone_a)[keep].sum() / max(self._a[0], 1e-300) + a[gone].sum()
        lost_b = np.array(self._gone_b)[keep].sum() / max(self._b[0], 1e-300) + b[gone].sum()
        kept = np.flatnonzero(keep).tolist()
        place = {old: new for new, old in enumerate(kept)}
        texts = list(self._names)
        return FlameGraph(
            name=tuple(texts[self._name[old]] for old in kept),
            parent=tuple(place.get(self._parent[old], -1) for old in kept),
            origin=tuple(self._origins[self._name[old]] for old in kept),
            share_a=tuple(a[kept].tolist()),
            share_b=tuple(b[kept].tolist()) if two else (),
            samples_a=samples_a,
            samples_b=samples_b,
            pruned_share=float(max(lost_a, lost_b)),
            cpu_s_a=self._a[0],
            cpu_s_b=self._b[0],
            mark=self._marks(kept, a, b, samples_a, samples_b) if two else (),
        )

    def _marks(
        self, kept: Sequence[int], a: Floats, b: Floats, samples_a: int, samples_b: int
    ) -> tuple[int, ...]:
        """A subtree is new, or vanished, as a whole once its top surely is."""
        marks = dict.fromkeys(kept, 0)
        for at in kept[1:]:
            above = marks[self._parent[at]]
            if above:
                marks[at] = above
            elif a[at] == 0 and b[at] * samples_a >= EXPECTED_MIN:
                marks[at] = NEW
            elif b[at] == 0 and a[at] * samples_b >= EXPECTED_MIN:
                marks[at] = VANISHED
        return tuple(marks.values())


def _numbered(stacks: Sequence[tuple[str, ...]]) -> tuple[list[str], list[int], Ints]:
    """(names in order of appearance, the place of each one's first, the number of each frame)."""
    frames = list(chain.from_iterable(stacks))
    number = {name: at for at, name in enumerate(dict.fromkeys(frames))}
    code = np.fromiter(map(number.__getitem__, frames), np.int64, len(frames))
    first = np.zeros(len(number), dtype=np.int64)
    first[code[::-1]] = np.arange(len(code))[::-1]
    return list(number), first.tolist(), code


def _nodes(code: Ints, lengths: Sequence[int]) -> tuple[Ints, Ints, Ints, Ints]:
    """(parent and name of each node, in order of appearance, the root first; node and stack of each
    frame). `code`: the names of all stacks' frames, one stack after the other."""
    length = np.array(lengths, dtype=np.int64)
    begin = np.cumsum(length) - length
    stack = np.repeat(np.arange(len(length)), length)
    node = np.zeros(len(code), dtype=np.int64)
    parent, first = [np.full(1, -1, dtype=np.int64)], [np.full(1, -1, dtype=np.int64)]
    name, count = [np.zeros(1, dtype=np.int64)], 1
    above = np.zeros(len(length), dtype=np.int64)
    span = int(code.max(initial=0)) + 1
    for depth in range(int(length.max(initial=0))):
        deep = np.flatnonzero(length > depth)
        at = begin[deep] + depth
        keys, seen, which = np.unique(
            above[deep] * span + code[at], return_index=True, return_inverse=True
        )
        above[deep] = node[at] = count + which.reshape(-1)
        parent.append(keys // span)
        name.append(keys % span)
        first.append(at[seen])
        count += len(keys)
    # Frames stand stack by stack, each root first: so nodes appear in the order of their firsts.
    order = np.argsort(np.concatenate(first), kind="stable")
    place = np.empty(count, dtype=np.int64)
    place[order] = np.arange(count)
    parents = np.concatenate(parent)[order]
    parents = np.where(parents < 0, -1, place[parents])
    return parents, np.concatenate(name)[order], place[node], stack


def _large(sizes: Floats, share_min: float, nodes_max: int) -> npt.NDArray[np.bool_]:
    """A child is never larger than its parent, so a kept node's parent is kept."""
    if len(sizes) > nodes_max:
        share_min = max(share_min, float(np.sort(sizes)[-nodes_max]))
    keep: npt.NDArray[np.bool_] = sizes >= share_min
    keep[0] = True
    if keep.sum() > nodes_max:  # many nodes of exactly the threshold's size
        keep = sizes > share_min
        keep[0] = True
    return keep
