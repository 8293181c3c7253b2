"""Does a canary release cost more, answer more slowly, fail more or hold more memory than the
control at the same minutes?

Looks at planned times, each of which may end the canary (profiler.sequential keeps the error rate
over all looks, endpoints and measures). Each answer is computed from the data alone, looks that are
over included, so asking more often changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from profiler.canary_measures import CanaryData, Seen, Tested, tested_until
from profiler.canary_records import Canary, CanaryLimits, CanaryMeasure, CanaryVerdict
from profiler.canary_words import headline, measure_name, reason
from profiler.endpoints import MACHINE_FLOOR
from profiler.excess import Excess, Parts, excess
from profiler.sequential import holm, spending

__all__ = ["ALPHA", "LOOKS", "Plan", "look_at", "watch"]

ALPHA = 0.05
LOOKS = 5
#: Passing needs that the endpoints which make this share of the control's cost are told.
TOLD_SHARE = 0.8
#: And of each that a rise of this many limits is excluded.
TOLD_LIMITS = 2


@dataclass(frozen=True, slots=True)
class Plan:
    """What is watched, for how long, and how much of that is over."""

    release: str
    control: str
    service: str
    started_ms: int
    for_s: float
    seen_s: float
    first_window: int
    windows: int
    """of the whole time"""
    look: int
    """looks that are due; LOOKS: the time is over"""
    limits: CanaryLimits = CanaryLimits()
    looks: int = LOOKS
    alpha: float = ALPHA


def watch(data: CanaryData, plan: Plan) -> Canary:
    """The whole answer, without `endpoints`: the first look that finds a regression ends it."""
    measures: list[CanaryMeasure] = []
    look = 0
    for look in range(1, plan.look + 1):
        measures = look_at(data, plan, look)
        if any(one.verdict == "regression" for one in measures):
            break
    verdict, untold = _overall(measures, data, plan, look)
    return Canary(
        release=plan.release,
        control=plan.control,
        service=plan.service,
        verdict=verdict,
        headline=headline(
            verdict, measures, plan.release, plan.control, f"{look} of {plan.looks}", untold
        ),
        started_ms=plan.started_ms,
        for_s=plan.for_s,
        seen_s=plan.seen_s,
        looks=plan.looks,
        look=look,
        alpha=plan.alpha,
        level=_level(plan, look) if look else 0.0,
        hosts_canary=_hosts(data.during, canary=True),
        hosts_control=_hosts(data.during, canary=False),
        warmup_requests=round(float((data.during.requests * ~data.during.warm).sum())),
        measures=tuple(measures),
        endpoints=(),
    )


def look_at(data: CanaryData, plan: Plan, look: int) -> list[CanaryMeasure]:
    """All measures at one look, from the windows until then; dearest endpoints first."""
    level = _level(plan, look)
    until = plan.first_window + plan.windows * look // plan.looks
    tests = list(tested_until(data, plan.limits, until))
    found = [excess(one.during, one.before, share=one.share) for one in tests]
    bars = [_limit(test, one) for test, one in zip(tests, found, strict=True)]
    p_values = [
        one.p_value(_scaled(test, bar)) for test, one, bar in zip(tests, found, bars, strict=True)
    ]
    rejected = holm(p_values, level)
    over = look == plan.looks
    rows = zip(tests, found, bars, p_values, rejected, strict=True)
    return [_measure(*row, level, over) for row in rows]


def _level(plan: Plan, look: int) -> float:
    shares = [number / plan.looks for number in range(1, plan.looks + 1)]
    return spending(shares, plan.alpha)[look - 1]


def _limit(test: Tested, found: Excess) -> float:
    """On few hosts CPU time moves by itself, and so does the memory of processes that are started
    anew: no smaller rise is told there."""
    if test.unit in ("cpu_ns", "bytes") and found.unit_of_error == "window":
        return max(test.limit, MACHINE_FLOOR)
    return test.limit


def _scaled(test: Tested, limit: float) -> float:
    return limit if test.share else float(np.log1p(limit))


def _measure(
    test: Tested,
    found: Excess,
    limit: float,
    p_value: float,
    rejected: bool,
    level: float,
    over: bool,
) -> CanaryMeasure:
    low, high = found.interval(level)
    rise = np.array([found.value, low, high])
    rise = rise if test.share else np.expm1(rise)
    sides = [_mean(test.during, canary) for canary in (True, False)]
    verdict: CanaryVerdict = "cannot tell"
    if rejected:
        verdict = "regression"
    elif not over:
        verdict = "waiting"
    elif rise[2] < TOLD_LIMITS * limit:
        verdict = "pass"
    told = CanaryMeasure(
        endpoint=test.endpoint, measure=test.measure, unit=test.unit,
        canary=sides[0][0], control=sides[1][0],
        rise=float(rise[0]), low=float(rise[1]), high=float(rise[2]), limit=limit,
        p_value=p_value, verdict=verdict, reason="",
        requests_canary=sides[0][1], requests_control=sides[1][1],
        unit_of_error=found.unit_of_error,
    )  # fmt: skip
    return replace(told, reason=found.reason or reason(told))


def _mean(parts: Parts, canary: bool) -> tuple[float, int]:
    at = parts.canary == canary
    requests = float(parts.requests[at].sum())
    mean = float(parts.count[at].sum()) / requests if requests else float("nan")
    return mean, round(requests)


def _overall(
    measures: Sequence[CanaryMeasure], data: CanaryData, plan: Plan, look: int
) -> tuple[CanaryVerdict, str]:
    """The verdict, and why nothing can be told where the time is over."""
    if any(one.verdict == "regression" for one in measures):
        return "regression", ""
    if look < plan.looks:
        return "waiting", ""
    untold = _untold(measures, data.during, plan)
    return ("cannot tell", untold) if untold else ("pass", "")


def _untold(measures: Sequence[CanaryMeasure], now: Seen, plan: Plan) -> str:
    """What is missing for a pass; empty where nothing is."""
    dear = _dear(now)
    if not measures or not dear:
        return f"{plan.release} and {plan.control} did not serve enough at the same minutes"
    if silent := _silent_parts(now, plan):
        return f"{plan.release} did not serve in {silent} of {plan.looks} parts of the time"
    for endpoint in dear:
        told = {one.measure for one in measures if one.endpoint == endpoint}
        costs = set(now.unit[now.endpoint == endpoint].tolist()) - {"none"}
        for needed in ("errors", "latency", *(["cost"] if costs else [])):
            if needed not in told:
                return f"{endpoint} {needed}: too few requests past warm-up on both sides"
    wide = (
        f"{measure_name(one)}: {one.reason}"
        for one in measures
        if one.verdict == "cannot tell" and one.endpoint in (*dear, "")
    )
    return next(wide, "")


def _silent_parts(now: Seen, plan: Plan) -> int:
    """Parts of the time, between looks, in which the canary did not serve: it may have died."""
    parts = (now.window[now.canary] - plan.first_window) * plan.looks // plan.windows
    return plan.looks - len(np.unique(parts.clip(0, plan.looks - 1)))


def _dear(now: Seen) -> list[str]:
    """Endpoints of which all but the last make less than TOLD_SHARE of what the control uses; by
    requests where no cost is known."""
    weight = now.cost if now.cost.sum() > 0 else now.every
    sums = {
        endpoint: float(weight[(now.endpoint == endpoint) & ~now.canary].sum())
        for endpoint in np.unique(now.endpoint).tolist()
    }
    dear: list[str] = []
    left = TOLD_SHARE * sum(sums.values())
    for endpoint in sorted(sums, key=lambda name: -sums[name]):
        if left <= 0:
            break
        dear.append(endpoint)
        left -= sums[endpoint]
    return dear


def _hosts(rows: Seen, *, canary: bool) -> int:
    return len(np.unique(rows.host[rows.canary == canary]))
