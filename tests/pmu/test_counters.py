"""What the probe counted under wsgiref on a processor that has counters.

The machine loop takes two instructions a pass, so its cost is known; everything else of a request
is `overhead`.
"""

import math
from itertools import pairwise
from statistics import median

import pytest

pytestmark = pytest.mark.pmu

CPU_NS, INSTRUCTIONS = 1, 2
PER_PASS = 2
#: A clock tick of the machine is two ns an instruction: what is in one unit is not in the other.
NS_PER_INSTRUCTION = 2


def costs(records):
    assert {record["unit"] for record in records} == {INSTRUCTIONS}
    return [record["cost"] for record in records]


def spread(values):
    """Largest distance from the median, as a share of it."""
    middle = median(values)
    return max(abs(value - middle) for value in values) / middle


def test_a_machine_loop_costs_its_two_instructions_a_pass(measured):
    for run in measured["linear"]["runs"]:
        points = [(passes, median(costs(records))) for passes, records in run["/machine"]]
        assert len(points) == 4
        for (few, cost_few), (many, cost_many) in pairwise(points):
            assert math.isclose((cost_many - cost_few) / (many - few), PER_PASS, rel_tol=0.005)


def test_a_python_loop_costs_in_proportion_to_its_length(measured):
    for run in measured["linear"]["runs"]:
        points = [(passes, median(costs(records))) for passes, records in run["/python"]]
        (few, cost_few), *_, (many, cost_many) = points
        slope = (cost_many - cost_few) / (many - few)
        for passes, cost in points:
            expected = cost_few + slope * (passes - few)
            assert math.isclose(cost, expected, rel_tol=0.01), (passes, cost)


@pytest.mark.parametrize(("path", "between_runs"), [("/machine", 0.01), ("/python", 0.02)])
def test_the_same_loop_costs_the_same_in_every_run(measured, path, between_runs):
    """A process may specialise one bytecode of the Python loop where another does not: 1.1%."""
    runs = [run[path] for run in measured["linear"]["runs"]]
    assert len(runs) == 3
    for same_length in zip(*runs, strict=True):
        every = [costs(records) for _, records in same_length]
        assert [len(run) for run in every] == [5, 5, 5]
        assert all(spread(run) < 0.01 for run in every)
        assert spread([median(run) for run in every]) < between_runs


def test_instructions_and_task_clock_come_from_one_reading(measured):
    for run in measured["linear"]["runs"]:
        for record in run["/machine"][-1][1]:
            ratio = record["task_clock_ns"] / record["cost"]
            assert math.isclose(ratio, NS_PER_INSTRUCTION, rel_tol=0.05)


def test_threads_count_their_own_instructions_only(measured):
    found = measured["threads"]
    assert len(found["records"]) == 8
    everything = []
    for path, records in found["records"].items():
        known = int(path[1:]) * found["passes_step"] * PER_PASS
        assert len(records) == found["each"]
        assert all(known < cost < known * 1.01 + 60_000 for cost in costs(records)), path
        everything += records
    # They did run at the same time: between them the wall has passed several times over.
    spans = [(one["started_ns"], one["started_ns"] + one["wall_ns"]) for one in everything]
    passed_ns = max(end for _, end in spans) - min(start for start, _ in spans)
    assert sum(end - start for start, end in spans) > 3 * passed_ns
    assert sum(one["task_clock_ns"] for one in everything) <= passed_ns
    assert sum(one["ctx_switches"] for one in everything) > 0


def test_a_mix_of_endpoints_is_kept_apart(measured):
    found = measured["mix"]
    middle = {}
    for path, records in found["records"].items():
        assert len(records) == 40
        assert spread(costs(records)) < 0.01, path
        middle[path] = median(costs(records))
    passes = found["passes"]
    for path in ("/small", "/large", "/stream"):
        assert 0 < middle[path] - PER_PASS * passes[path] < 200_000, path
    rise = (middle["/large"] - middle["/small"]) / (passes["/large"] - passes["/small"])
    assert math.isclose(rise, PER_PASS, rel_tol=0.01)


def test_a_fork_changes_no_count(measured):
    found = measured["fork"]
    assert len(set(found["pids"])) == len(found["generations"]) == 3
    first, second, third = found["generations"]
    for path in ("/machine", "/python", "/while"):
        # The first requests of a generation find cold caches, its ninth and later no more.
        settled = [median(costs(generation[path])[8:]) for generation in (first, second, third)]
        assert spread(settled) < 0.01, path
    # The child's `while` loop was warm from its parent: none of its requests is a half dearer.
    assert spread(costs(second["/while"])[1:]) < 0.02


def test_a_while_loop_becomes_a_third_cheaper_at_its_eighth_call(measured):
    """CPython 3.11 specialises code that was called eight times, or jumped back eight times
    without a condition, which a `while` loop does not. A process that forked after fewer requests
    leaves that step to its child: it looks as if the fork had changed the count."""
    before, after = (
        costs(part)
        for part in (measured["warm_up"]["records"][:7], measured["warm_up"]["records"][8:])
    )
    assert spread(before[1:]) < 0.01 and spread(after) < 0.01
    assert 0.6 < median(after) / median(before) < 0.72


def test_a_multiplexed_group_is_noticed_and_never_scaled(measured):
    found = measured["multiplexed"]
    known = found["passes"] * PER_PASS
    assert {record["unit"] for record in found["records"]} == {CPU_NS, INSTRUCTIONS}
    for record in found["records"]:
        if record["unit"] == INSTRUCTIONS:  # it had the counter all the time
            assert known < record["cost"] < known * 1.01 + 60_000
        else:
            assert record["cost"] == record["task_clock_ns"]
            assert known * NS_PER_INSTRUCTION < record["cost"] <= record["wall_ns"]
    assert found["counted"] == found["all_units"].count(CPU_NS) > 0


@pytest.mark.parametrize("level", ["1", "2"])
def test_the_kernels_default_lets_a_user_count_itself(measured, level):
    one = dict(measured["refused"]["levels"][level])
    switches = one.pop("ctx_switches")
    assert one == {"header_unit": INSTRUCTIONS, "reason": "", "units": [INSTRUCTIONS]}
    # They happen in the kernel, which level 2 keeps from the group, but not from getrusage.
    assert switches[0] > 0


def test_where_the_kernel_refuses_cpu_time_serves_and_the_reason_is_told(measured):
    one = dict(measured["refused"]["levels"]["3"])
    assert one.pop("ctx_switches")[0] > 0
    assert one == {
        "header_unit": CPU_NS,
        "reason": "perf_event_open: EACCES (Permission denied)",
        "units": [CPU_NS],
    }
