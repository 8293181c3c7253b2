"""Does an endpoint cost more than its budget allows, and how sure is that."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import sqrt

from scipy.stats import t as student

from profiler.gate.functions import blame
from profiler.gate.records import (
    Budget,
    Changed,
    Comparison,
    Counted,
    EndpointVerdict,
    Expectation,
    Side,
)

__all__ = ["compare_sides", "interval", "undecided"]

CONFIDENCE = 0.99
#: A half interval of more than twice the budget, and of twice this, would let too much pass.
UNSTABLE = 0.01
#: Said where it is certain.
LUCK = {
    "memory": "calls that allocate and free memory cost {} each",
    "attributes": "lookups of attributes miss the interpreter's cache {} often",
}
#: Functions are counted under callgrind, whatever counts the endpoints.
GRAPH_UNIT = "instructions_simulated"


def compare_sides(
    base: Side,
    head: Side,
    budgets: Mapping[str, Budget],
    expectations: Sequence[Expectation] = (),
    wrong: Mapping[str, str] | None = None,
) -> Comparison:
    """All endpoints of both sides. `wrong`: {endpoint: why it could not be measured}."""
    if base.unit != head.unit:
        raise ValueError(f"{base.unit} cannot be compared with {head.unit}")
    verdicts = _verdicts(base, head, budgets, expectations, wrong or {})
    floor = max((one.high - one.rise for one in verdicts if one.before), default=0.0)
    return Comparison(
        base=base.label,
        head=head.label,
        unit=base.unit,
        verdict=_overall(verdicts),
        floor=floor,
        endpoints=verdicts,
        causes=_causes(base, head),
        expectations=tuple(expectations),
    )


def interval(before: Sequence[float], after: Sequence[float]) -> tuple[float, float, float]:
    """(rise, low, high) as shares of the cost before; pairs are of the same memory layout."""
    mean = sum(before) / len(before)
    differences = [(b - a) / mean for a, b in zip(before, after, strict=True)]
    count = len(differences)
    rise = sum(differences) / count
    if count < 2:
        return rise, rise, rise
    variance = sum((one - rise) ** 2 for one in differences) / (count - 1)
    half = float(student.ppf(0.5 + CONFIDENCE / 2, count - 1)) * sqrt(variance / count)
    return rise, rise - half, rise + half


def undecided(comparison: Comparison) -> list[str]:
    """Endpoints whose interval holds the budget: more layouts would tell."""
    return [
        one.endpoint
        for one in comparison.endpoints
        if one.before and one.low <= _limit(one.before, one.budget) < one.high
    ]


def _verdicts(
    base: Side,
    head: Side,
    budgets: Mapping[str, Budget],
    expectations: Sequence[Expectation],
    wrong: Mapping[str, str],
) -> tuple[EndpointVerdict, ...]:
    before = {one.endpoint: one for one in base.counted}
    after = {one.endpoint: one for one in head.counted}
    verdicts = []
    for name, budget in budgets.items():
        if name in wrong:
            verdicts.append(_unmeasured(name, "unstable", budget, wrong[name]))
        elif name in before and name in after:
            one = _judge(before[name], after[name], budget, base.unit)
            verdicts.append(_expected(one, expectations))
        elif name in after and name in base.absent:
            verdicts.append(_unmeasured(name, "new", budget, "the base does not have it"))
        elif name in before and name in head.absent:
            verdicts.append(_unmeasured(name, "gone", budget, "the branch no longer has it"))
        else:
            verdicts.append(_unmeasured(name, "unstable", budget, "nothing was measured"))
    return tuple(verdicts)


def _judge(before: Counted, after: Counted, budget: Budget, unit: str) -> EndpointVerdict:
    a, b, notes = _without_luck(before, after)
    count = len(a)
    cost, cost_after = sum(a) / count, sum(b) / count
    rise, low, high = interval(a, b)
    limit = _limit(cost, budget)
    if low > limit:
        verdict = "regression"
    elif high < -limit:
        verdict = "improved"
    elif high - rise > 2 * max(limit, UNSTABLE):
        verdict = "unstable"
    else:
        verdict = "pass"
    if verdict == "unstable":
        notes.append(f"the counts are good to {high - rise:.1%} only: too little to say")
    elif verdict == "pass" and rise > limit:
        notes.append("above the budget, but not for certain")
    if before.answered != after.answered:
        notes.append(f"answers {_sizes(before)} -> {_sizes(after)} bytes")
    functions: tuple[Changed, ...] = ()
    if verdict == "regression":
        counted = unit == GRAPH_UNIT
        more = cost_after - cost if counted else _rise_of_graphs(before, after)
        functions = blame(before.graph, after.graph, more)
    return EndpointVerdict(
        before.endpoint, verdict, cost, cost_after, rise, low, high, budget, count, functions,
        "; ".join(notes),
    )  # fmt: skip


def _without_luck(
    before: Counted, after: Counted
) -> tuple[Sequence[float], Sequence[float], list[str]]:
    """Costs of both sides in the layouts that both have, and notes.

    What costs more or less by where objects lie is counted at one price a call on both sides and in
    all layouts, the mean; unless its calls are certainly dearer on one side, which a note says.
    """
    count = min(len(before.layouts), len(after.layouts))
    a, b, notes = list(before.layouts[:count]), list(after.layouts[:count]), []
    for kind in before.luck.keys() & after.luck.keys() if count > 1 else ():
        sides = before.luck[kind][:count], after.luck[kind][:count]
        calls, cost = (sum(one[at] for side in sides for one in side) for at in (0, 1))
        if not calls or not cost:
            continue
        price = cost / calls
        more_a, more_b = ([cost - calls * price for calls, cost in side] for side in sides)
        half = cost / (2 * count)
        _, low, high = interval(
            [half] * count, [half + y - x for x, y in zip(more_a, more_b, strict=True)]
        )
        if low <= 0 <= high:
            a = [one - more for one, more in zip(a, more_a, strict=True)]
            b = [one - more for one, more in zip(b, more_b, strict=True)]
        else:
            notes.append(LUCK[kind].format("more" if low > 0 else "less"))
    return a, b, sorted(notes)


def _rise_of_graphs(before: Counted, after: Counted) -> float:
    """In the graphs' own unit, where the costs are in another."""
    sums = [sum(one.own for one in counted.graph.functions) for counted in (before, after)]
    return sums[1] - sums[0]


def _limit(cost: float, budget: Budget) -> float:
    """The smaller of both budgets, as a share of the cost."""
    limits = [budget.relative]
    if budget.absolute is not None and cost:
        limits.append(budget.absolute / cost)
    return min(limits)


def _sizes(counted: Counted) -> str:
    return "+".join(str(size) for _, size in counted.answered)


def _expected(verdict: EndpointVerdict, expectations: Sequence[Expectation]) -> EndpointVerdict:
    """A rise that a commit announced passes up to what it announced."""
    if verdict.verdict != "regression":
        return verdict
    for one in expectations:
        if one.endpoint.lower() in verdict.endpoint.lower() and verdict.low <= one.rise:
            note = f"{one.commit} expects {one.rise:+.1%} because {one.reason}"
            return replace(
                verdict, verdict="expected", note="; ".join(filter(None, (note, verdict.note)))
            )
    return verdict


def _unmeasured(name: str, verdict: str, budget: Budget, note: str) -> EndpointVerdict:
    return EndpointVerdict(name, verdict, 0.0, 0.0, 0.0, 0.0, 0.0, budget, 0, (), note)


def _overall(verdicts: Sequence[EndpointVerdict]) -> str:
    """A certain regression is said even where another endpoint could not be measured."""
    kinds = {one.verdict for one in verdicts}
    if "regression" in kinds:
        return "regression"
    if "unstable" in kinds or not kinds & {"pass", "improved", "expected"}:
        return "unanswered"
    return "pass"


def _causes(base: Side, head: Side) -> tuple[str, ...]:
    causes = []
    if base.python != head.python:
        causes.append(f"interpreter: {base.python} -> {head.python}")
    for name in sorted(base.packages.keys() | head.packages.keys()):
        before, after = base.packages.get(name, "absent"), head.packages.get(name, "absent")
        if before != after:
            causes.append(f"package {name}: {before} -> {after}")
    return tuple(causes)
