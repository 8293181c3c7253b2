"""A canary's findings in sentences."""

from collections.abc import Sequence

from profiler.canary_records import CanaryMeasure, CanaryVerdict

__all__ = ["headline", "measure_name", "points", "reason"]

#: Measures whose rise is a share of the control's; those of the others are points of all requests.
RELATIVE = ("cost", "memory")


def headline(
    verdict: CanaryVerdict,
    measures: Sequence[CanaryMeasure],
    release: str,
    control: str,
    look: str,
    untold: str,
) -> str:
    """The finding in one sentence. `look`: such as 2 of 5; `untold`: why there is none."""
    worst = [one for one in measures if one.verdict == "regression"]
    if worst:
        first = min(worst, key=lambda one: one.p_value)
        more = f", and {len(worst) - 1} more" if len(worst) > 1 else ""
        return (
            f"{release} is worse than {control}: {measure_name(first)} {first.reason}{more} "
            f"(look {look})"
        )
    if verdict == "pass":
        return f"{release} is no worse than {control} at the same minutes"
    if verdict == "waiting":
        return f"nothing found against {release} yet ({look} looks)"
    return f"cannot tell whether {release} is worse: {untold}"


def measure_name(one: CanaryMeasure) -> str:
    """Such as `GET /feed/ status 404`."""
    what = f"status {one.measure}" if one.measure.isdigit() else one.measure
    return f"{one.endpoint} {what}".strip()


def reason(one: CanaryMeasure) -> str:
    """What the numbers say."""
    span = f"{points(one, one.low)} to {points(one, one.high)}"
    limit = f"limit {points(one, one.limit)}"
    if one.verdict == "regression":
        return f"rose by {points(one, one.rise)} ({span}, {limit})"
    if one.verdict == "cannot tell":
        return f"{span}: too wide to exclude a rise of twice the limit ({limit})"
    return f"{points(one, one.rise)} ({span}, {limit})"


def points(one: CanaryMeasure, value: float) -> str:
    """+5.0% of the control's, or +0.5 points of all requests."""
    if one.measure in RELATIVE:
        return f"{value:+.1%}"
    return f"{value * 100:+.2g} points"
