"""Compare two sides: which endpoint, which function, how sure, how much of the fleet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from profiler.calltree import OWN, FunctionIndex, Stack, index_functions
from profiler.detail import DETAILED_MAX, Detail, detailed
from profiler.drift import common_drift, stretched
from profiler.endpoints import endpoint_changes, judged, worst_endpoint
from profiler.fleet import fleet_changes
from profiler.functions import FunctionTest, function_test, ranked
from profiler.guilt import guilty_function
from profiler.measured import RequestWindows, SideData
from profiler.parts import Part, nothing_of, numbered, parts_of
from profiler.power import with_power
from profiler.records import (
    Comparison,
    Deploy,
    EndpointChange,
    Evidence,
    FleetChange,
    FunctionChange,
    Verdict,
)
from profiler.renames import renamed, with_names
from profiler.samples import SAMPLES_MIN
from profiler.shifts import with_moves
from profiler.statistics import Difference
from profiler.warmup import warm_ups

__all__ = ["compare_sides"]

FUNCTIONS_MAX = 200
#: A common drift smaller than this is not worth a word.
DRIFT_TOLD = 0.02
#: Nor is a difference of CPU use, in points, smaller than this.
LOAD_TOLD = 10


@dataclass(frozen=True, slots=True)
class _Tested:
    """One endpoint's functions, and the stacks that are the columns of its samples."""

    test: FunctionTest
    index: FunctionIndex
    stacks: Sequence[Stack]


def compare_sides(
    service: str,
    a: SideData,
    b: SideData,
    stacks: Sequence[Stack],
    *,
    window_s: float,
    budget: float = 0.01,
    deploy: Deploy | None = None,
    server_cost_per_year: float = 0.0,
    unlike: str = "",
) -> Comparison:
    """The whole answer. `budget`: the rise per request that is no regression yet (0.01: 1%).

    `unlike`: why CPU time of these sides cannot be compared at all; empty where it can.
    """
    hosts = sorted({host for side in (a, b) for host in numbered(side.requests.host)[0]})
    parts = [parts_of(side, hosts) for side in (a, b)]
    measured, spreads = endpoint_changes(a, b, parts, len(hosts))
    was = renamed(stacks, *(_samples(side, len(stacks)) for side in (a, b)))
    stacks = with_names(stacks, {old: new for new, old in was.items()})
    detail = detailed(measured, parts, DETAILED_MAX if a.grouped or b.grouped else len(measured))
    tests = _tests(parts, detail.endpoints, stacks, len(hosts))
    drift = common_drift([change for one in tests.values() for change in one.test.changes])
    fleet = fleet_changes(a, b, parts, window_s, server_cost_per_year)
    endpoints = [
        with_power(
            _comparable(judged(stretched(change, drift), budget), unlike),
            _rows(parts[0], change.endpoint, a),
            _rows(parts[1], change.endpoint, b),
            window_s,
        )
        for change in _with_fleet_shares(measured, fleet)
    ]
    worst = worst_endpoint(endpoints)
    tests = {name: _with_moves(one) for name, one in tests.items()}
    suspect = _named(_suspect(a, b, tests, worst), was)
    guilty = suspect if worst else None
    functions = [_named(change, was) for one in tests.values() for change in one.test.changes]
    evidence = replace(_evidence(a, b, spreads, window_s, hosts), drift=drift)
    verdict = _overall(endpoints)
    return Comparison(
        a=a.label,
        b=b.label,
        service=service,
        verdict=verdict,
        headline=_headline(verdict, worst, guilty, endpoints, deploy, a.label, b.label),
        fleet=fleet,
        endpoints=tuple(endpoints),
        functions=tuple(ranked(functions, worst, suspect)[:FUNCTIONS_MAX]),
        guilty=guilty,
        deploy=deploy,
        evidence=evidence,
        notes=(*_notes(a, b, evidence, endpoints, functions, hosts), *_left_out(detail)),
        warm_up=warm_ups(a, b, parts, len(hosts)),
    )


def _comparable(change: EndpointChange, unlike: str) -> EndpointChange:
    if not unlike or change.unit != "cpu_ns":
        return change
    return replace(change, verdict="cannot tell", reason=unlike)


def _samples(side: SideData, stacks: int) -> npt.NDArray[np.float64]:
    return np.bincount(side.stacks.stack, side.stacks.samples, minlength=stacks).astype(np.float64)


def _tests(
    sides: Sequence[Mapping[str, Part]],
    endpoints: Sequence[str],
    stacks: Sequence[Stack],
    hosts: int,
) -> dict[str, _Tested]:
    """Of endpoints with enough samples on both sides; each with its own stacks only."""
    found = {}
    for name in endpoints:
        parts = [side[name] for side in sides if name in side]
        if len(parts) < len(sides):
            continue
        numbers = np.unique(np.concatenate([part.stacks.stack for part in parts]))
        mine = [stacks[number] for number in numbers.tolist()]
        index = index_functions(mine)
        a, b = (_renumbered(part, numbers) for part in parts)
        test = function_test(a, b, name, index, hosts)
        if test is not None:
            found[name] = _Tested(test, index, mine)
    return found


def _renumbered(part: Part, numbers: npt.NDArray[np.int64]) -> Part:
    stack = np.searchsorted(numbers, part.stacks.stack).astype(np.int64)
    return replace(part, stacks=replace(part.stacks, stack=stack))


def _with_moves(one: _Tested) -> _Tested:
    return replace(one, test=replace(one.test, changes=with_moves(one.test, one.index)))


def _rows(parts: Mapping[str, Part], endpoint: str, side: SideData) -> RequestWindows:
    return (parts.get(endpoint) or nothing_of(side)).over_time


def _suspect(
    a: SideData,
    b: SideData,
    tests: Mapping[str, _Tested],
    worst: EndpointChange | None,
) -> FunctionChange | None:
    """The function to look at first, of the endpoint that rose; where none certainly did, of that
    with the most certain rise of a function: a part may show what the whole hides."""
    rises = [
        (change.p_corrected, name)
        for name, one in tests.items()
        for change in one.test.changes
        if change.verdict == "regression" and change.origin == OWN
    ]
    name = worst.endpoint if worst else min(rises, default=(1.0, ""))[1]
    if name not in tests:
        return None
    calls = [side.calls.get(name, {}) for side in (a, b)]
    return guilty_function(tests[name].test, tests[name].stacks, calls[0], calls[1])


Named = TypeVar("Named", FunctionChange, FunctionChange | None)


def _named(change: Named, was: Mapping[str, str]) -> Named:
    old = was.get(change.function, "") if change else ""
    return replace(change, was=old) if change and old else change


def _with_fleet_shares(
    endpoints: Sequence[EndpointChange], fleet: Sequence[FleetChange]
) -> list[EndpointChange]:
    """Each endpoint's part of all the rises (or falls) by per-request cost of its unit."""
    moved: dict[str, float] = {change.unit: 0.0 for change in fleet}
    parts = []
    for change in endpoints:
        known = np.isfinite(change.difference.value)
        part = change.difference.value * (change.requests_a + change.requests_b) if known else 0.0
        moved[change.unit] = moved.get(change.unit, 0.0) + abs(part)
        parts.append(part)
    return [
        replace(
            change, fleet_share=part / moved[change.unit] if moved[change.unit] else float("nan")
        )
        for change, part in zip(endpoints, parts, strict=True)
    ]


def _evidence(
    a: SideData,
    b: SideData,
    spreads: Sequence[Difference],
    window_s: float,
    hosts: Sequence[str],
) -> Evidence:
    largest = max(spreads, key=lambda spread: spread.windows, default=None)
    windows = largest.windows if largest else 0
    grouped = [side.grouped for side in (a, b) if side.grouped]
    if grouped:
        windows = sum(len(np.unique(one.over_time.window)) for one in grouped)
    samples = [side.stacks.samples for side in (a, b)]
    contended = [side.stacks.samples * side.stacks.contended for side in (a, b)]
    every = float(samples[0].sum() + samples[1].sum())
    return Evidence(
        requests_a=round(float((a.requests.requests * a.requests.warm).sum())),
        requests_b=round(float((b.requests.requests * b.requests.warm).sum())),
        samples_a=round(float(samples[0].sum())),
        samples_b=round(float(samples[1].sum())),
        hosts=len({name for one in grouped for name in one.names}) or len(hosts),
        windows=windows,
        window_s=window_s,
        unit_of_error=largest.unit_of_error if largest else "window",
        warmup_requests=round(
            sum(float((side.requests.requests * ~side.requests.warm).sum()) for side in (a, b))
        ),
        load_percent_a=_load(a.requests),
        load_percent_b=_load(b.requests),
        contended_share=sum(float(part.sum()) for part in contended) / every if every else 0.0,
    )


def _load(rows: RequestWindows) -> float:
    known = np.isfinite(rows.load) & (rows.requests > 0)
    weight = rows.requests[known]
    return float(rows.load[known] @ weight / weight.sum()) if len(weight) else float("nan")


def _overall(endpoints: Sequence[EndpointChange]) -> Verdict:
    seen = {change.verdict for change in endpoints}
    order: tuple[Verdict, ...] = ("regression", "improvement", "no change")
    return next((verdict for verdict in order if verdict in seen), "cannot tell")


def _headline(
    verdict: Verdict,
    worst: EndpointChange | None,
    guilty: FunctionChange | None,
    endpoints: Sequence[EndpointChange],
    deploy: Deploy | None,
    a: str,
    b: str,
) -> str:
    if worst is not None:
        since = f" since {deploy.release} was deployed" if deploy else f" from {a} to {b}"
        who = "; which function cannot be told yet"
        if guilty is not None:
            why = f" ({guilty.why})" if guilty.why else ""
            who = f"; {guilty.function} is {guilty.rise_share:.0%} of the rise{why}"
        more = f"{worst.relative.value:.1%} more"
        return f"{worst.endpoint} costs {more} CPU per request{since}{who}"
    if not endpoints:
        return f"no requests on either side: {a} and {b}"
    if verdict == "improvement":
        best = min(endpoints, key=lambda change: change.difference.value)
        less = f"{-best.relative.value:.1%} less"
        return f"{best.endpoint} costs {less} CPU per request from {a} to {b}"
    if verdict == "no change":
        return f"no endpoint costs more per request from {a} to {b}"
    told = max(endpoints, key=lambda change: change.requests_a + change.requests_b)
    return f"cannot tell yet whether {b} costs more than {a}: {told.reason}"


def _left_out(detail: Detail) -> list[str]:
    if not detail.others:
        return []
    return [
        f"functions of {len(detail.endpoints)} endpoints are compared: those that surely changed "
        f"and those that use most CPU, {detail.share:.0%} of it; name one of the other "
        f"{detail.others} to see its own"
    ]


def _notes(
    a: SideData,
    b: SideData,
    evidence: Evidence,
    endpoints: Sequence[EndpointChange],
    functions: Sequence[FunctionChange],
    hosts: Sequence[str],
) -> list[str]:
    notes = []
    if evidence.unit_of_error == "window":
        names = ", ".join(hosts[:3])
        notes.append(f"fewer than 3 hosts: the intervals speak of these hosts only ({names})")
    if a.grouped or b.grouped:
        notes.append(f"{evidence.hosts} hosts are compared in {len(hosts)} groups of hosts")
    if evidence.warmup_requests:
        notes.append(f"{evidence.warmup_requests} warm-up requests of young workers set apart")
    if evidence.contended_share > 0.1:
        share = evidence.contended_share
        notes.append(
            f"{share:.0%} of the samples come from windows in which workers waited for a core"
        )
    if abs(evidence.drift) > DRIFT_TOLD:
        slower = "more" if evidence.drift > 0 else "less"
        notes.append(
            f"code that did not change takes about {abs(evidence.drift):.1%} {slower} CPU time on "
            "side b: the machine differs; cpu_ns intervals reach as far"
        )
    busier = evidence.load_percent_b - evidence.load_percent_a
    if abs(busier) > LOAD_TOLD and any(change.unit == "cpu_ns" for change in endpoints):
        how = "more" if busier > 0 else "less"
        notes.append(
            f"the hosts were {how} busy on side b: {evidence.load_percent_a:.0f}% and "
            f"{evidence.load_percent_b:.0f}% of their CPU; cpu_ns intervals allow for it"
        )
    if endpoints and not functions:
        notes.append(
            f"no functions: {evidence.samples_a} and {evidence.samples_b} stack samples; "
            f"at least {SAMPLES_MIN} of an endpoint are needed on each side"
        )
    for side in (a, b):
        if not len(side.requests.host):
            notes.append(f"{side.label} has no requests in this time")
    return notes
