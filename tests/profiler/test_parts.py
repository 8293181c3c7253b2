"""A side cut into endpoints holds the same rows, whatever their order."""

from dataclasses import fields, replace

import numpy as np
import pytest

from profiler.measured import SideData
from profiler.parts import nothing_of, numbered, parts_of
from tests.profiler.simulated import Truth, side

FEED, LIKE = "GET /feed/", "POST /like/"


def mixed(seed: int, young_windows: int = 0) -> SideData:
    """Two endpoints on three hosts, their rows in no order."""
    rng = np.random.default_rng(seed)
    truth = Truth(hosts=3, young_windows=young_windows)
    feed, like = (side("r1", replace(truth, endpoint=name), rng) for name in (FEED, LIKE))
    return replace(
        feed,
        requests=shuffled(feed.requests, like.requests, rng),
        stacks=shuffled(feed.stacks, like.stacks, rng),
    )


def shuffled(one, other, rng):
    order = rng.permutation(len(one.host) + len(other.host))
    columns = (
        np.concatenate([getattr(rows, field.name) for rows in (one, other)])[order]
        for field in fields(one)
    )
    return type(one)(*columns)


def test_numbers_of_words_are_those_of_unique():
    rng = np.random.default_rng(1)
    for texts in (np.array(["b", "a", "c"])[rng.integers(0, 3, 50)], np.sort(["b", "a", "b"])):
        words, number = numbered(texts)
        expected, at = np.unique(texts, return_inverse=True)
        assert words == expected.tolist()
        assert number.tolist() == at.tolist()
    assert numbered(np.array([], dtype=np.str_))[0] == []


@pytest.mark.parametrize("in_order", [False, True])
def test_each_part_has_the_rows_of_its_endpoint(in_order):
    whole = mixed(2)
    if in_order:
        order = np.argsort(whole.requests.endpoint, kind="stable")
        columns = (getattr(whole.requests, f.name)[order] for f in fields(whole.requests))
        whole = replace(whole, requests=type(whole.requests)(*columns))
    hosts = ["web-0", "web-1", "web-2"]
    parts = parts_of(whole, hosts)
    assert list(parts) == [FEED, LIKE]
    for endpoint, part in parts.items():
        chosen = whole.requests.endpoint == endpoint
        assert part.requests.cost.tolist() == whole.requests.cost[chosen].tolist()
        assert np.array(hosts)[part.host].tolist() == whole.requests.host[chosen].tolist()
        taken = whole.stacks.endpoint == endpoint
        assert part.stacks.weight_s.tolist() == whole.stacks.weight_s[taken].tolist()
        assert np.array(hosts)[part.stack_host].tolist() == whole.stacks.host[taken].tolist()


def test_samples_of_windows_that_mostly_warmed_up_are_left_out():
    whole = mixed(3, young_windows=4)
    for part in parts_of(whole, ["web-0", "web-1", "web-2"]).values():
        assert part.stacks.window.min() == 4
        assert part.requests.window.min() == 0


def test_an_endpoint_that_a_side_lacks_has_no_rows():
    nothing = nothing_of(mixed(4))
    assert len(nothing.requests.cost) == len(nothing.host) == len(nothing.stacks.stack) == 0
