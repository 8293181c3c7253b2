from dataclasses import replace

import numpy as np
import pytest

from profiler.compare import compare_sides
from profiler.records import Comparison, Deploy
from tests.profiler.simulated import STACKS, Truth, side

DEPLOY = Deploy(ts_ms=0, release="r2", previous="r1", commits=("abc",), note="")


def run(before: Truth, after: Truth, seed: int = 1, **keywords) -> Comparison:
    rng = np.random.default_rng(seed)
    a, b = side("r1", before, rng), side("r2", after, rng)
    return compare_sides("photos", a, b, STACKS, window_s=10.0, **keywords)


def dearer(truth: Truth, stack: int, by_ns: float) -> Truth:
    costs = list(truth.stack_ns)
    costs[stack] += by_ns
    return replace(truth, stack_ns=tuple(costs))


@pytest.mark.parametrize("hosts", [1, 2, 5])
@pytest.mark.parametrize("stack, guilty", [(0, "app.rank:affinity"), (2, "app.rank:recency")])
def test_the_function_that_rose_is_named(hosts: int, stack: int, guilty: str) -> None:
    before = Truth(hosts=hosts, windows=24)
    found = run(before, dearer(before, stack, 2.5e6), deploy=DEPLOY)
    assert found.verdict == "regression"
    assert found.guilty is not None
    assert found.guilty.function == guilty
    assert found.functions[0] == found.guilty
    assert found.guilty.rise_share == pytest.approx(1.0, abs=0.35)
    change = found.endpoints[0]
    assert change.relative.value == pytest.approx(0.25, abs=0.1)
    assert change.relative.low > 0.1
    assert guilty in found.headline
    assert "r2 was deployed" in found.headline


def test_library_code_is_counted_to_its_own_code_caller() -> None:
    found = run(Truth(), dearer(Truth(), 1, 3e6))
    assert found.guilty is not None
    assert found.guilty.function == "app.rank:affinity"
    assert found.guilty.beneath[0][0] == "math:sqrt"
    assert found.guilty.beneath[0][1] == pytest.approx(3e6, rel=0.3)


def test_no_change_is_rarely_called_one() -> None:
    verdicts = [run(Truth(), Truth(), seed).verdict for seed in range(60)]
    assert verdicts.count("regression") <= 2
    assert verdicts.count("improvement") <= 2


def test_young_workers_are_set_apart() -> None:
    after = replace(Truth(), young_windows=4)
    found = run(Truth(), after)
    assert found.evidence.warmup_requests > 0
    assert found.endpoints[0].requests_b < found.endpoints[0].requests_a
    assert any("warm-up" in note for note in found.notes)


def test_too_little_data_cannot_tell() -> None:
    small = Truth(windows=2, requests=10, samples=10)
    found = run(small, dearer(small, 0, 5e6))
    assert found.verdict == "cannot tell"
    assert found.guilty is None
    assert found.headline.startswith("cannot tell yet")
    assert "at least 50" in found.endpoints[0].reason


def test_a_side_without_requests_cannot_tell() -> None:
    rng = np.random.default_rng(1)
    nothing = side("r0", Truth(windows=0), rng)
    found = compare_sides("photos", nothing, side("r1", Truth(), rng), STACKS, window_s=10.0)
    assert found.verdict == "cannot tell"
    assert "r0 has no requests in this time" in found.notes
    empty = compare_sides("photos", nothing, nothing, (), window_s=10.0)
    assert empty.headline == "no requests on either side: r0 and r0"


def test_units_are_never_mixed() -> None:
    rng = np.random.default_rng(1)
    a = side("r1", Truth(), rng)
    b = side("r2", Truth(), rng)
    counted = replace(
        b.requests, unit=np.full(len(b.requests.unit), "instructions"), cost=b.requests.cost * 3
    )
    found = compare_sides("photos", a, replace(b, requests=counted), STACKS, window_s=10.0)
    assert {change.unit for change in found.endpoints} == {"cpu_ns", "instructions"}
    assert found.verdict == "cannot tell"
    assert {part.unit for part in found.fleet} == {"cpu_ns", "instructions"}


@pytest.mark.parametrize(("hosts", "verdict"), [(2, "cannot tell"), (8, "regression")])
def test_a_small_rise_of_cpu_time_needs_several_hosts(hosts: int, verdict: str) -> None:
    before = Truth(hosts=hosts, windows=120, samples=0, window_spread=0.002)
    change = run(before, dearer(before, 2, 4e5)).endpoints[0]
    assert change.relative.low > 0.01
    assert change.verdict == verdict
    assert ("compare more hosts" in change.reason) == (verdict == "cannot tell")


def test_cheaper_is_an_improvement() -> None:
    before = Truth(windows=24)
    found = run(before, dearer(before, 2, -2e6))
    assert found.verdict == "improvement"
    assert found.guilty is None
    assert found.endpoints[0].relative.high < -0.01
    assert "% less CPU per request" in found.headline


def test_unlike_processors_cannot_tell() -> None:
    before = Truth(windows=24)
    found = run(before, dearer(before, 2, 3e6), unlike="side a ran on x, side b on z")
    assert found.verdict == "cannot tell"
    assert "side a ran on x" in found.headline
