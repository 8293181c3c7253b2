"""What does each function of an endpoint cost, in profiled requests?"""

import math
import random
from collections import defaultdict

import pytest

from collector.answers.profiles import CALLERS_MAX, FUNCTIONS_MAX, profiles
from collector.answers.records import Window
from collector.errors import BadQuestion
from tests.collector import rows
from tests.collector.rows import ENDPOINTS, SERVICE, START_MS

WINDOW = Window(START_MS, START_MS + 3_600_000)
FEED, OTHER = ENDPOINTS[0], ENDPOINTS[1]
NAMES = [f"shop:f{n}" for n in range(30)]


def random_rows(seed, requests, **fixed):
    """Rows of some requests, each with pairs of functions and callers."""
    rng = random.Random(seed)
    columns = defaultdict(list)
    for number in range(requests):
        pairs = {(rng.choice(NAMES), rng.choice(["", *NAMES])) for _ in range(40)}
        for function, caller in sorted(pairs):
            columns["ts_ms"].append(START_MS + number)
            columns["trace_id"].append(f"{seed * 1000 + number:032x}")
            columns["function"].append(function)
            columns["caller"].append(caller)
            columns["calls"].append(rng.randrange(1, 50))
            columns["cost_self"].append(rng.randrange(1_000_000))
            columns["cost_inclusive"].append(columns["cost_self"][-1] + rng.randrange(1_000_000))
    named = {"host": "web-1", "release": "r1", "endpoint": FEED, "cost_unit": "cpu_ns", **fixed}
    return rows.table_of("function_costs", len(columns["ts_ms"]), **columns, **named)


PROFILED = random_rows(1, 12)


@pytest.fixture(scope="module", autouse=True)
def filled(store):
    store.insert("function_costs", PROFILED, "p1")
    store.insert("function_costs", random_rows(2, 3, cost_unit="instructions"), "p2")
    store.insert("function_costs", random_rows(3, 5, release="r2", host="web-2"), "p3")
    store.insert("function_costs", random_rows(4, 5, endpoint=OTHER), "p4")
    store.insert("function_costs", random_rows(5, 5, service="zoo"), "p5")
    store.insert("requests", rows.request_rows(500, 1), "r1")


def ask(store, **more):
    words = {"service": SERVICE, "endpoint": FEED, "release": "r1", **more}
    return profiles(store, WINDOW, **words)


def test_sums_are_those_of_the_rows(store):
    answer = ask(store)
    profile = answer.data
    assert (profile.unit, profile.requests, profile.other_units) == (
        "cpu_ns",
        12,
        ("instructions",),
    )
    assert profile.releases == ("r1",)
    table = PROFILED.to_pylist()
    for function in profile.functions:
        mine = [row for row in table if row["function"] == function.function]
        for key, found in (
            ("calls", function.calls),
            ("cost_self", function.cost_self),
            ("cost_inclusive", function.cost_inclusive),
        ):
            assert found == pytest.approx(sum(row[key] for row in mine) / 12)
        for caller in function.callers:
            theirs = [row for row in mine if row["caller"] == caller.caller]
            assert caller.calls == pytest.approx(sum(row["calls"] for row in theirs) / 12)
            assert caller.cost_self == pytest.approx(sum(row["cost_self"] for row in theirs) / 12)
    assert {one.function for one in profile.functions} == {row["function"] for row in table}
    assert sum(one.self_share for one in profile.functions) == pytest.approx(1)
    assert profile.cost == pytest.approx(sum(row["cost_self"] for row in table) / 12)


def test_dearest_functions_and_callers_come_first(store):
    profile = ask(store).data
    costs = [one.cost_self for one in profile.functions]
    assert costs == sorted(costs, reverse=True)
    for one in profile.functions:
        inclusive = [caller.cost_inclusive for caller in one.callers]
        assert inclusive == sorted(inclusive, reverse=True)
        assert len(inclusive) <= CALLERS_MAX


def test_beside_it_stands_what_unprofiled_requests_cost(store):
    table = rows.request_rows(500, 1).to_pylist()
    mine = [
        row
        for row in table
        if row["endpoint"] == FEED and row["release"] == "r1" and row["outcome"] != "killed"
    ]
    counted = ask(store).data.counted_cost
    assert counted == pytest.approx(sum(row["cost"] for row in mine) / len(mine))


def test_releases_are_apart_or_together(store):
    assert ask(store, release="r2").data.requests == 5
    together = ask(store, release="").data
    assert (together.requests, together.releases) == (17, ("r1", "r2"))


def test_nothing_profiled_is_an_empty_answer(store):
    profile = ask(store, endpoint="GET /nowhere/").data
    assert (profile.requests, profile.functions, profile.unit) == (0, (), "")
    assert math.isnan(profile.counted_cost)


def test_an_endpoint_is_needed(store):
    with pytest.raises(BadQuestion, match="endpoint is needed"):
        ask(store, endpoint="")


def test_past_the_limit_the_cheapest_are_left_out(store):
    count = FUNCTIONS_MAX + 7
    table = rows.table_of(
        "function_costs", count, ts_ms=START_MS, host="web-1", trace_id="a" * 32, release="r1",
        endpoint="GET /many/", function=[f"shop:g{n}" for n in range(count)], caller="",
        calls=1, cost_self=list(range(count)), cost_inclusive=list(range(count)),
        cost_unit="cpu_ns",
    )  # fmt: skip
    store.insert("function_costs", table, "many")
    answer = ask(store, endpoint="GET /many/")
    assert answer.truncated
    assert len(answer.data.functions) == FUNCTIONS_MAX
    assert answer.data.functions[-1].cost_self == 7
    assert answer.data.cost == sum(range(count))
