"""Who is to blame, on graphs whose answer is known."""

import pytest

from profiler.gate.callgrind import FRAMEWORK
from profiler.gate.functions import blame, mean_graph
from profiler.gate.records import Call, Function, Graph


def graph(view: float, rank_own: float, rank_calls: float, helper_calls: float = 0.0) -> Graph:
    """view -> rank (rank_calls times) -> helper (helper_calls times each, 50 a call)."""
    helper = 50.0 * helper_calls
    rank = (rank_own + helper) * rank_calls
    calls = [
        Call(FRAMEWORK, "app:view", 1, view + rank),
        Call("app:view", "app:rank", rank_calls, rank),
    ]
    functions = [
        Function(FRAMEWORK, 1000),
        Function("app:view", view),
        Function("app:rank", rank_own * rank_calls),
    ]
    if helper_calls:
        calls.append(Call("app:rank", "app:helper", helper_calls * rank_calls, helper * rank_calls))
        functions.append(Function("app:helper", helper * rank_calls))
    return Graph(tuple(functions), tuple(calls))


def test_a_dearer_callee_is_to_blame_not_its_callers() -> None:
    (guilty,) = blame(graph(200, 30, 10), graph(200, 40, 10), rise=100)
    assert (guilty.name, guilty.blame, guilty.share) == ("app:rank", 100, 1.0)
    assert (guilty.calls_before, guilty.calls_after) == (10, 10)
    assert (guilty.inclusive_before, guilty.inclusive_after) == (300, 400)
    assert guilty.callers == ("app:view",)


def test_more_calls_blame_the_caller() -> None:
    (guilty,) = blame(graph(200, 30, 10), graph(200, 30, 20), rise=300)
    assert (guilty.name, guilty.blame) == ("app:view", 300)


def test_a_new_callee_blames_the_caller_that_calls_it() -> None:
    (guilty,) = blame(graph(200, 30, 10), graph(200, 30, 10, helper_calls=2), rise=1000)
    assert (guilty.name, guilty.blame) == ("app:rank", 1000)


def test_several_causes_are_ranked_and_add_up() -> None:
    found = blame(graph(200, 30, 10), graph(290, 40, 20), rise=590)
    assert [one.name for one in found] == ["app:view", "app:rank"]
    assert sum(one.blame for one in found) == pytest.approx(590)


def test_nothing_is_blamed_where_nothing_rose() -> None:
    assert blame(graph(200, 30, 10), graph(200, 30, 10), rise=0) == ()


def test_the_mean_of_graphs() -> None:
    mean = mean_graph([graph(200, 30, 10), graph(300, 30, 10)])
    assert {one.name: one.own for one in mean.functions}["app:view"] == 250
    assert mean_graph([graph(200, 30, 10)]).calls == tuple(
        sorted(graph(200, 30, 10).calls, key=lambda call: (call.caller, call.callee))
    )
