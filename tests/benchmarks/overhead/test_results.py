import json

import pytest

from benchmarks.overhead.measure import TRIVIAL, WORKING, Turns
from benchmarks.overhead.results import as_json, results


def blocks(cpu_us, rate):
    return [
        Turns(requests=1000, cpu_ns=round(us * 1e6), wall_ns=round(1e12 / rate)) for us in cpu_us
    ]


def measured(**added_us):
    """Nine blocks of a machine that grows slower; each configuration adds a fixed cost."""
    bare = [100 + 10 * number for number in range(9)]
    turns = {}
    for name, us in {"bare": 0, **added_us}.items():
        turns[name, TRIVIAL] = blocks([value + us for value in bare], 1000)
        turns[name, WORKING] = blocks([5000] * 9, 200 - us / 100)
    return turns


def test_differences_are_paired_by_block():
    found = {result.name: result for result in results(measured(dynoscope=8, ddtrace=400))}
    assert found["dynoscope"].added_us.low == pytest.approx(8)
    assert found["dynoscope"].added_us.high == pytest.approx(8)
    assert found["dynoscope"].cpu_us == pytest.approx(148)
    assert found["ddtrace"].working_ratio.value == pytest.approx(0.98)
    assert found["bare"].added_us.value == 0


def test_the_object_without_a_compiled_part():
    answer = as_json(results(measured(dynoscope=8, sentry=400, elastic=200)), ["bare"])
    assert answer["added_us"] == 8
    assert answer["throughput_ratio"] == pytest.approx(0.9996)
    assert answer["compiled"] is None
    assert {name: peer["added_us"] for name, peer in answer["peers"].items()} == {
        "sentry": 400,
        "elastic": 200,
    }
    assert answer["vs_best_peer"] == 0.04
    assert json.loads(json.dumps(answer)) == answer


def test_the_compiled_part_is_what_an_installation_has():
    turns = measured(**{"dynoscope": 30, "dynoscope compiled": 6, "elastic": 240})
    answer = as_json(results(turns), [])
    assert answer["added_us"] == answer["compiled"]["added_us"] == 6
    assert answer["pure"]["added_us"] == 30
    assert answer["vs_best_peer"] == 0.025
