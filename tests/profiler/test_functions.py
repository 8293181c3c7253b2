"""Functions: the family of tests, verdicts that say no more than they know, the reader's order."""

from dataclasses import replace

import numpy as np

from profiler.calltree import Stack, index_functions
from profiler.functions import function_test, ranked
from profiler.parts import parts_of
from profiler.records import Interval
from tests.dashboards.records import endpoint_change, function_change
from tests.profiler.simulated import STACKS, Truth, side

ENDPOINT = "GET /feed/"
DEARER = replace(Truth(hosts=4), stack_ns=(2.5e6, 1e6, 3e6, 2e6, 2e6))


def changes_of(a: Truth, b: Truth, stacks=STACKS):
    rng = np.random.default_rng(3)
    sides = [side("r1", a, rng), side("r2", b, rng)]
    hosts = [f"web-{number}" for number in range(a.hosts)]
    parts = [parts_of(one, hosts)[ENDPOINT] for one in sides]
    test = function_test(parts[0], parts[1], ENDPOINT, index_functions(stacks), len(hosts))
    assert test is not None
    return {change.function: change for change in test.changes}


def test_frames_that_are_on_every_stack_and_never_at_its_end_cost_no_test() -> None:
    above = tuple(f"framework:layer_{number}" for number in range(60))
    deep = [Stack(above + one.frames, (1,) * 60 + one.origins) for one in STACKS]
    alone, beneath = changes_of(Truth(hosts=4), DEARER), changes_of(Truth(hosts=4), DEARER, deep)
    assert len(beneath) == len(alone) + 60
    for function, change in alone.items():
        np.testing.assert_equal(beneath[function].p_corrected, change.p_corrected)
    assert np.isnan(beneath[above[0]].p_corrected)
    assert beneath[above[0]].verdict == "no change"
    assert np.isfinite(beneath[above[0]].inclusive_p_corrected)


def test_no_change_is_said_only_of_what_is_known_to_be_small() -> None:
    few = Truth(hosts=3, windows=4, samples=60)
    many = Truth(hosts=8, windows=60, samples=600, window_spread=0.001)
    known = changes_of(many, many)["app.rank:recency"]
    assert known.verdict == "no change"
    assert max(-known.difference.low, known.difference.high) < 0.05 * 1e7
    unsure = changes_of(few, few)["app.rank:recency"]
    assert unsure.verdict == "cannot tell"
    assert max(-unsure.difference.low, unsure.difference.high) > 0.05 * 1e7


def test_where_the_endpoint_rose_what_fell_comes_last() -> None:
    worst = endpoint_change()
    common = {"verdict": "cannot tell", "p_corrected": 0.2}
    fell = function_change(
        function="m:fell", difference=Interval(-2e5, -3e5, -1e5), p_value=0.01, **common
    )
    rose = function_change(
        function="m:rose", difference=Interval(2e5, 1e4, 4e5), p_value=0.03, **common
    )
    library = replace(rose, function="lib:rose", origin=1)
    assert ranked([fell, library, rose], worst, None) == [rose, fell, library]
    assert ranked([fell, library, rose], None, None)[0] == fell
    sure = replace(
        fell, function="m:sure", verdict="regression", difference=Interval(9e5, 8e5, 1e6)
    )
    assert ranked([fell, rose, sure], worst, None)[0] == sure
    assert ranked([fell, rose, sure], worst, rose)[0] == rose
