"""Which endpoints' functions are compared where hosts and endpoints are many."""

from dataclasses import fields, replace

import numpy as np

from profiler import compare as comparing
from profiler.compare import compare_sides
from profiler.measured import GroupedHosts, SideData
from tests.profiler.simulated import STACKS, Truth, side

#: cpu_ns per request of endpoints 0 to 7; the cheapest of them becomes dearer.
COSTS = [8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0]


def of_endpoints(label: str, seed: int, last: float) -> SideData:
    rng = np.random.default_rng(seed)
    sides = [
        side(
            label,
            Truth(
                stack_ns=tuple(1e6 * times * cost for times in (2, 1, 3, 2, 2)),
                hosts=4,
                host_spread=0,
                window_spread=0.005,
                endpoint=f"GET /{at}/",
            ),
            rng,
        )
        for at, cost in enumerate([*COSTS[:-1], COSTS[-1] * last])
    ]
    requests, stacks = (
        type(whole[0])(
            *(
                np.concatenate([getattr(one, field.name) for one in whole])
                for field in fields(whole[0])
            )
        )
        for whole in ([one.requests for one in sides], [one.stacks for one in sides])
    )
    return SideData(label, requests, stacks, {})


def test_what_surely_changed_and_what_is_dearest_is_compared_and_the_rest_is_told(monkeypatch):
    monkeypatch.setattr(comparing, "DETAILED_MAX", 3)
    a, b = of_endpoints("a", 1, 1.0), of_endpoints("b", 2, 2.0)
    whole = compare_sides("s", a, b, STACKS, window_s=10.0)
    assert {change.endpoint for change in whole.functions} == {f"GET /{at}/" for at in range(8)}
    assert not any("functions of" in note for note in whole.notes)
    names = tuple(f"web-{number}" for number in range(100))
    many = [replace(one, grouped=GroupedHosts(names, one.requests, 120.0)) for one in (a, b)]
    found = compare_sides("s", many[0], many[1], STACKS, window_s=10.0)
    assert {change.endpoint for change in found.functions} == {"GET /0/", "GET /1/", "GET /7/"}
    assert found.guilty is not None
    assert found.guilty.endpoint == "GET /7/"
    clock = {
        at: sum(
            float(one.requests.task_clock_ns[one.requests.endpoint == f"GET /{at}/"].sum())
            for one in many
        )
        for at in range(8)
    }
    share = (clock[0] + clock[1] + clock[7]) / sum(clock.values())
    (told,) = (note for note in found.notes if note.startswith("functions of"))
    assert told == (
        "functions of 3 endpoints are compared: those that surely changed and those that use most "
        f"CPU, {share:.0%} of it; name one of the other 5 to see its own"
    )
    assert [change.endpoint for change in found.endpoints] == [f"GET /{at}/" for at in range(8)]
    assert found.evidence.hosts == 100
