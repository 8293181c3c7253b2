from dataclasses import replace

import numpy as np
import pytest

from profiler.calltree import Stack
from profiler.compare import compare_sides
from profiler.drift import common_drift, stretched
from profiler.records import EndpointChange, FunctionChange, Interval
from tests.profiler.simulated import Truth, side

NOTHING = Interval(0.0, 0.0, 0.0)


def function(name: str, ns_a: float, ns_b: float, samples: int = 100) -> FunctionChange:
    costs = (ns_a, ns_b, ns_a, ns_b)
    return FunctionChange(
        "GET /", name, 0, *costs, NOTHING, 1.0, 1.0, 0.0, samples, samples, "no change"
    )


def test_what_all_functions_share_is_the_machine() -> None:
    functions = [function(f"m:f{at}", 100.0, 108.0) for at in range(9)]
    functions.append(function("m:planted", 100.0, 400.0))
    assert common_drift(functions) == pytest.approx(0.08)


def test_code_that_certainly_changed_does_not_pull_the_drift_up() -> None:
    """A heavy planted function moves the middle of all by the spread of the others."""
    functions = [function(f"m:f{at}", 100.0, 85.0 + 5 * at) for at in range(9)]
    planted = replace(function("m:planted", 400.0, 900.0), samples_a=400, samples_b=900)
    unsure = common_drift([*functions, planted])
    sure = replace(planted, difference=Interval(500, 300, 700), verdict="regression")
    assert unsure == pytest.approx(0.15)
    assert common_drift([*functions, sure]) == pytest.approx(0.05)


def test_few_functions_or_few_samples_say_nothing() -> None:
    assert common_drift([function("m:f", 1.0, 2.0)] * 4) == 0
    assert common_drift([function(f"m:f{at}", 1.0, 2.0, samples=5) for at in range(50)]) == 0


def test_only_cpu_time_drifts() -> None:
    change = EndpointChange(
        "GET /", "http", "cpu_ns", 1, 1, 100.0, 110.0, Interval(10, 8, 12),
        Interval(0.1, 0.08, 0.12), 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, "cannot tell", "",
    )  # fmt: skip
    slower = stretched(change, 0.05)
    assert (slower.relative.low, slower.relative.high) == pytest.approx((0.03, 0.12))
    assert (slower.difference.low, slower.difference.high) == pytest.approx((3, 12))
    faster = stretched(change, -0.05)
    assert (faster.relative.low, faster.relative.high) == pytest.approx((0.08, 0.17))
    counted = replace(change, unit="instructions")
    assert stretched(counted, 0.05) == counted


def many_functions(costs_ns: list[float], label: str, seed: int):
    truth = Truth(stack_ns=tuple(costs_ns), samples=400)
    return side(label, truth, np.random.default_rng(seed))


def test_a_slower_machine_is_no_regression_and_a_function_is() -> None:
    stacks = [Stack(("app:view", f"app:f{at}"), (0, 0)) for at in range(12)]
    before = [1e6] * 12
    slower = [1.08e6] * 12
    planted = [*slower[:-1], 4e6]
    a = many_functions(before, "r1", 1)
    quiet = compare_sides("s", a, many_functions(slower, "r2", 2), stacks, window_s=10)
    assert quiet.verdict != "regression"
    assert quiet.evidence.drift == pytest.approx(0.08, abs=0.04)
    assert any("the machine differs" in note for note in quiet.notes)
    loud = compare_sides("s", a, many_functions(planted, "r2", 3), stacks, window_s=10)
    assert loud.verdict == "regression"
    assert loud.guilty is not None
    assert loud.guilty.function == "app:f11"
