"""More calls blame the caller, dearer calls the callee; moved is not risen; a new name is no new
function."""

import numpy as np
import pytest

from profiler.calltree import Stack
from profiler.compare import compare_sides
from profiler.records import Comparison
from tests.profiler.simulated import Truth, side

#: feed and search both call rank, which has two parts; feed also renders.
STACKS = (
    Stack(("app:feed", "app:rank", "app:score"), (0, 0, 0)),
    Stack(("app:feed", "app:rank"), (0, 0)),
    Stack(("app:feed", "app:render", "json:dumps"), (0, 0, 2)),
    Stack(("app:search", "app:rank", "app:score"), (0, 0, 0)),
    Stack(("app:search", "app:rank"), (0, 0)),
    Stack(("django:call",), (1,)),
)
COSTS = (2e6, 1e6, 2e6, 2e6, 1e6, 2e6)
HERE = {"hosts": 4, "windows": 40, "samples": 400}


def compared(after: tuple[float, ...], stacks=STACKS, costs=COSTS, calls=({}, {})) -> Comparison:
    rng = np.random.default_rng(5)
    a = side("r1", Truth(stack_ns=costs, **HERE), rng)
    b = side("r2", Truth(stack_ns=after, **HERE), rng)
    for one, counted in zip((a, b), calls, strict=True):
        object.__setattr__(one, "calls", {"GET /feed/": counted})
    return compare_sides("photos", a, b, stacks, window_s=10.0)


def test_dearer_calls_blame_the_callee():
    found = compared((4e6, 1e6, 2e6, 4e6, 1e6, 2e6))
    assert found.guilty.function == "app:score"
    assert found.guilty.why == ""


def test_more_calls_of_a_shared_function_blame_the_caller_under_which_it_rose():
    found = compared((5e6, 2.5e6, 2e6, 2e6, 1e6, 2e6))
    assert found.guilty.function == "app:feed"
    assert found.guilty.why == "it calls app:rank more often"
    assert found.guilty.rise_share == pytest.approx(1, abs=0.2)
    assert "it calls app:rank more often" in found.headline
    assert found.functions[0] == found.guilty


ONE_CALLER = STACKS[:3] + STACKS[5:]


def test_with_one_caller_parts_that_rise_alike_are_more_calls():
    found = compared((4e6, 2e6, 2e6, 2e6), ONE_CALLER, (2e6, 1e6, 2e6, 2e6))
    assert found.guilty.function == "app:feed"


def test_with_one_caller_a_part_alone_is_to_blame_itself():
    found = compared((4e6, 1e6, 2e6, 2e6), ONE_CALLER, (2e6, 1e6, 2e6, 2e6))
    assert found.guilty.function == "app:score"


@pytest.mark.parametrize(
    ("calls", "guilty"), [((10.0, 20.0), "app:rank"), ((10.0, 10.0), "app:score")]
)
def test_counted_calls_settle_it(calls, guilty):
    pair = ("app:rank", "app:score")
    counted = ({pair: (calls[0], 200)}, {pair: (calls[1], 200)})
    found = compared((4e6, 1e6, 2e6, 2e6), ONE_CALLER, (2e6, 1e6, 2e6, 2e6), counted)
    assert found.guilty.function == guilty
    assert ("10 to 20 calls a request" in found.guilty.why) == (guilty == "app:rank")


def test_self_and_inclusive_costs_have_intervals_that_hold_the_truth():
    found = compared((4e6, 1e6, 2e6, 4e6, 1e6, 2e6))
    rank = next(one for one in found.functions if one.function == "app:rank")
    assert rank.self_difference.low <= 0 <= rank.self_difference.high
    assert rank.inclusive_difference.low <= 4e6 <= rank.inclusive_difference.high
    assert rank.inclusive_p_corrected < 0.05
    assert rank.verdict == "no change"


def test_cost_between_siblings_is_moved_not_risen():
    stacks = (
        Stack(("app:feed", "app:rank"), (0, 0)),
        Stack(("app:feed", "app:render"), (0, 0)),
        Stack(("app:feed", "app:load"), (0, 0)),
    )
    found = compared((4e6, 3e6, 2e6), stacks, (2e6, 5e6, 2e6))
    verdicts = {one.function: (one.verdict, one.moved_with) for one in found.functions}
    assert verdicts["app:rank"] == ("moved", "app:render")
    assert verdicts["app:render"] == ("moved", "app:rank")
    assert verdicts["app:load"][0] == "no change"
    assert found.guilty is None


def test_cost_from_caller_to_new_callee_is_moved():
    stacks = (
        Stack(("app:feed", "app:rank"), (0, 0)),
        Stack(("app:feed", "app:rank", "app:rank_inner"), (0, 0, 0)),
        Stack(("app:feed", "app:load"), (0, 0)),
    )
    found = compared((1e6, 4e6, 3e6), stacks, (5e6, 0, 3e6))
    inner = next(one for one in found.functions if one.function == "app:rank_inner")
    assert (inner.verdict, inner.moved_with) == ("moved", "app:rank")


def test_a_rise_beside_a_fall_elsewhere_is_no_move():
    """The endpoint rose all the same: what fell does not make up for it."""
    found = compared((8e6, 1e6, 1e6, 2e6, 1e6, 2e6), costs=COSTS)
    assert found.guilty is not None
    assert found.guilty.verdict == "regression"


def test_a_renamed_function_is_compared_with_itself():
    stacks = (
        *STACKS,
        Stack(("app:feed", "app:ranking:rank2", "app:score"), (0, 0, 0)),
        Stack(("app:feed", "app:ranking:rank2"), (0, 0)),
        Stack(("app:search", "app:ranking:rank2", "app:score"), (0, 0, 0)),
        Stack(("app:search", "app:ranking:rank2"), (0, 0)),
    )
    zero = (0.0,) * 4
    found = compared((0, 0, 2e6, 0, 0, 2e6, 2e6, 1e6, 2e6, 1e6), stacks, (*COSTS, *zero))
    rank = next(one for one in found.functions if one.function == "app:ranking:rank2")
    assert rank.was == "app:rank"
    assert rank.verdict == "no change"
    assert rank.difference.low < 0 < rank.difference.high
    assert not any(one.function == "app:rank" for one in found.functions)


def test_a_part_may_show_what_the_whole_hides():
    """A rise that is too small to be the endpoint's regression still has its suspect on top."""
    stacks = (Stack(("app:feed", "app:big"), (0, 0)), Stack(("app:feed", "app:small"), (0, 0)))
    found = compared((20e6, 0.32e6), stacks, (20e6, 0.2e6))
    assert found.verdict != "regression"
    assert found.guilty is None
    assert found.functions[0].function == "app:small"
    assert found.functions[0].verdict == "regression"


def test_calls_counted_in_few_requests_settle_nothing():
    """0.9 and 1.5 calls a request, each counted in 10 requests, may be the same."""
    pair = ("app:rank", "app:score")
    counted = ({pair: (0.9, 10)}, {pair: (1.5, 10)})
    found = compared((4e6, 1e6, 2e6, 2e6), ONE_CALLER, (2e6, 1e6, 2e6, 2e6), counted)
    assert found.guilty.function == "app:score"
    assert found.guilty.why == ""
