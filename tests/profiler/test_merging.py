import numpy as np
import pytest

from profiler.merging import NEW, VANISHED, Merger


def merged(count: int, held: int, seed: int = 1) -> Merger:
    """`count` distinct stacks of 12 frames; one in two goes through hot code."""
    rng = np.random.default_rng(seed)
    merger = Merger(nodes_held=held)
    calls = rng.integers(0, 300, (count, 10))
    for at in range(count):
        head = "m:hot" if at % 2 else f"m:warm{at % 7}"
        frames = (head, *(f"m:f{call}" for call in calls[at]), f"m:leaf{at}")
        merger.add(frames, (0,) * 12, 1.0)
        assert len(merger) <= held
    return merger


def check(count: int, held: int) -> None:
    merger = merged(count, held)
    graph = merger.graph(two=False, samples_a=count, samples_b=0, nodes_max=500, share_min=0.001)
    shares = dict(zip(graph.name, graph.share_a, strict=True))
    assert len(graph.name) <= 500
    assert shares["all"] == 1
    assert shares["m:hot"] == pytest.approx(0.5, abs=1 / count)
    # Each stack's leaf is too small to show: its share is told as left out.
    assert graph.pruned_share == pytest.approx(1, abs=1e-9)


def test_many_distinct_stacks_merge_in_bounded_memory() -> None:
    check(20_000, 5_000)


@pytest.mark.long
def test_a_million_distinct_stacks_merge_in_bounded_memory() -> None:
    check(1_000_000, 200_000)


def test_nothing_is_lost_below_the_bound() -> None:
    merger = merged(200, 100_000)
    graph = merger.graph(two=False, samples_a=200, samples_b=0, nodes_max=10**6, share_min=0)
    assert graph.pruned_share == 0
    assert sum(name.startswith("m:leaf") for name in graph.name) == 200


def test_new_and_vanished_subtrees_are_marked_where_chance_is_ruled_out() -> None:
    merger = Merger()
    for frames, a, b in (
        (("m:feed", "m:old", "m:deep"), 40, 0),
        (("m:feed", "m:new", "m:deep"), 0, 40),
        (("m:feed", "m:rare"), 0, 1),
        (("m:feed",), 60, 60),
    ):
        merger.add(frames, (0,) * len(frames), a, b)
    graph = merger.graph(two=True, samples_a=100, samples_b=101, nodes_max=100, share_min=0)
    paths: list[tuple[str, ...]] = []
    for name, parent in zip(graph.name, graph.parent, strict=True):
        paths.append((*paths[parent], name) if parent >= 0 else ())
    marks = dict(zip(paths, graph.mark, strict=True))
    assert marks["m:feed", "m:old"] == marks["m:feed", "m:old", "m:deep"] == VANISHED
    assert marks["m:feed", "m:new"] == marks["m:feed", "m:new", "m:deep"] == NEW
    assert marks["m:feed", "m:rare"] == marks["m:feed",] == marks[()] == 0


@pytest.mark.parametrize("held", [100, 10**6])
@pytest.mark.parametrize("seed", range(4))
def test_stacks_merged_at_once_are_those_merged_one_by_one(seed: int, held: int) -> None:
    """Recursion, empty stacks, names of two origins; also where not all nodes are held."""
    rng = np.random.default_rng(seed)
    stacks = [
        tuple(f"m:f{call}" for call in rng.integers(0, 6, rng.integers(0, 9))) for _ in range(300)
    ]
    origins = [tuple(rng.integers(0, 3, len(frames)).tolist()) for frames in stacks]
    weights = rng.random((2, len(stacks)))
    one_by_one, at_once = Merger(held), Merger(held)
    for frames, origin, a, b in zip(stacks, origins, *weights.tolist(), strict=True):
        one_by_one.add(frames, origin, a, b)
    at_once.fill(stacks, origins, *weights)
    found = [
        merger.graph(two=True, samples_a=300, samples_b=300, nodes_max=5_000, share_min=0.001)
        for merger in (one_by_one, at_once)
    ]
    assert len(found[0].name) >= 20
    for field in ("name", "parent", "origin", "mark"):
        assert getattr(found[0], field) == getattr(found[1], field)
    assert found[0].share_a == pytest.approx(found[1].share_a)
    assert found[0].share_b == pytest.approx(found[1].share_b)
    at_once.add(("m:f1", "m:new"), (0, 0), 1.0)
    assert len(at_once) <= held
