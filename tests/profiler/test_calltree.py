from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiler.calltree import Stack, flame_graph, index_functions

FRAMES = st.lists(st.tuples(st.sampled_from("abcdef"), st.just(0)), min_size=1, max_size=6)
STACKS = st.lists(FRAMES, min_size=1, max_size=12)
ORIGIN = {"a": 0, "b": 0, "c": 0, "d": 1, "e": 2, "f": 3}


def stacks_of(drawn) -> list[Stack]:
    return [
        Stack(tuple(name for name, _ in frames), tuple(ORIGIN[name] for name, _ in frames))
        for frames in drawn
    ]


@given(STACKS, st.randoms(use_true_random=False))
def test_sums_equal_plain_loops(drawn, random) -> None:
    stacks = stacks_of(drawn)
    weights = [random.random() for _ in stacks]
    inclusive, own_self, answerable = Counter(), Counter(), Counter()
    for stack, weight in zip(stacks, weights, strict=True):
        for name in set(stack.frames):
            inclusive[name] += weight
        own_self[stack.frames[-1]] += weight
        own = [name for name in stack.frames if ORIGIN[name] == 0]
        if own:
            answerable[own[-1]] += weight
    index = index_functions(stacks)
    assert sorted(index.functions) == sorted(inclusive)
    for expected, matrix in (
        (inclusive, index.inclusive),
        (own_self, index.own_self),
        (answerable, index.answerable),
    ):
        found = dict(zip(index.functions, (matrix @ np.array(weights)).tolist(), strict=True))
        assert found == pytest.approx({name: expected[name] for name in index.functions})


@given(STACKS, STACKS)
def test_flame_graph_shares_are_those_of_each_side(left, right) -> None:
    stacks = stacks_of(left + right)
    a = np.array([1.0] * len(left) + [0.0] * len(right))
    graph = flame_graph(stacks, a, 1 - a, samples_a=len(left), samples_b=len(right))
    assert graph.parent[0] == -1
    assert all(parent < at for at, parent in enumerate(graph.parent))
    paths = []
    for at, name in enumerate(graph.name):
        parent = graph.parent[at]
        paths.append((*paths[parent], name) if at else ())
    names = [[tuple(name for name, _ in frames) for frames in side] for side in (left, right)]
    every = {stack[:depth] for side in names for stack in side for depth in range(len(stack) + 1)}
    assert sorted(paths) == sorted(every)
    for side, shares in zip(names, (graph.share_a, graph.share_b), strict=True):
        for path, share in zip(paths, shares, strict=True):
            through = sum(1 for stack in side if stack[: len(path)] == path)
            assert share == pytest.approx(through / len(side))


def test_small_nodes_are_pruned_and_their_share_is_told() -> None:
    stacks = [Stack((f"m:f{number}", f"m:g{number}"), (0, 0)) for number in range(1000)]
    weights = np.ones(1000)
    weights[0] = 999.0
    graph = flame_graph(stacks, weights, None, samples_a=1998, share_min=0.01)
    assert graph.name == ("all", "m:f0", "m:g0")
    assert graph.pruned_share == pytest.approx(0.5)
    assert graph.share_b == ()


def test_the_number_of_nodes_is_bounded() -> None:
    stacks = [Stack((f"m:f{number}",), (0,)) for number in range(500)]
    graph = flame_graph(stacks, np.arange(1.0, 501.0), None, samples_a=1, nodes_max=50, share_min=0)
    assert len(graph.name) <= 50
    assert "m:f499" in graph.name
    assert graph.pruned_share > 0.5
