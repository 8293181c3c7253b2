"""What a cost alert says: how much dearer, how sure, which function, which deploy."""

from dataclasses import asdict
from typing import Any
from urllib.parse import urlencode

from alerting.alerts import Finding, rfc3339
from alerting.rules import CostRule
from profiler.records import Comparison, EndpointChange, FunctionChange

__all__ = ["cost_finding"]


def cost_finding(
    rule: CostRule,
    key: tuple[str, ...],
    change: EndpointChange,
    comparison: Comparison,
    first_ms: int,
    to_ms: int,
    base_url: str,
) -> Finding:
    """`key`: service, endpoint, unit, release. `first_ms`: the release's first request."""
    service, endpoint, unit, release = key
    guilty = _guilty(comparison, endpoint)
    deploy = comparison.deploy
    since_ms = deploy.ts_ms if deploy else first_ms
    labels = {"service": service, "endpoint": endpoint, "unit": unit, "release": release}
    if guilty is not None:
        labels["function"] = guilty.function
    return Finding(
        rule=rule.name,
        key=key,
        severity=rule.severity,
        labels=labels,
        summary=_summary(rule, change, comparison, guilty, service, release, since_ms),
        started_ms=to_ms,
        details=_details(rule, change, comparison, guilty, since_ms),
        links=_links(comparison, change, base_url),
    )


def _guilty(comparison: Comparison, endpoint: str) -> FunctionChange | None:
    """The comparison's own choice; for other endpoints, the function that surely rose most."""
    if comparison.guilty is not None and comparison.guilty.endpoint == endpoint:
        return comparison.guilty
    risen = [
        one
        for one in comparison.functions
        if one.endpoint == endpoint and one.verdict == "regression"
    ]
    return max(risen, key=lambda one: one.difference.value, default=None)


def _summary(
    rule: CostRule,
    change: EndpointChange,
    comparison: Comparison,
    guilty: FunctionChange | None,
    service: str,
    release: str,
    since_ms: int,
) -> str:
    relative = change.relative
    text = (
        f"{change.endpoint} of {service} costs {relative.value:+.1%} per request "
        f"(95% interval {relative.low:+.1%} to {relative.high:+.1%}; budget {rule.budget:.1%}) in "
        f"release {release} than in the one before it: {_cost(change.cost_a, change.unit)} became "
        f"{_cost(change.cost_b, change.unit)}."
    )
    if guilty is not None:
        text += f" Look at {guilty.function} first: {guilty.rise_share:.0%} of the rise."
    else:
        text += " No single function stands out yet."
    text += f" Release {release} was deployed at {rfc3339(since_ms)}"
    commits = comparison.deploy.commits if comparison.deploy else ()
    return text + (f" with {len(commits)} commits, newest {commits[-1]}." if commits else ".")


def _details(
    rule: CostRule,
    change: EndpointChange,
    comparison: Comparison,
    guilty: FunctionChange | None,
    since_ms: int,
) -> dict[str, Any]:
    return {
        "budget": rule.budget,
        "endpoint": asdict(change),
        "function": asdict(guilty) if guilty else None,
        "deploy": asdict(comparison.deploy) if comparison.deploy else None,
        "since_ms": since_ms,
        "previous": comparison.a.removeprefix("release:"),
        "release": comparison.b.removeprefix("release:"),
        "evidence": asdict(comparison.evidence),
        "notes": list(comparison.notes),
    }


def _links(comparison: Comparison, change: EndpointChange, base_url: str) -> dict[str, str]:
    sides = {"service": comparison.service, "a": comparison.a, "b": comparison.b}
    query = urlencode({**sides, "endpoint": change.endpoint})
    return {"compare": f"{base_url}/compare?{query}", "flame": f"{base_url}/flame?{query}"}


def _cost(value: float, unit: str) -> str:
    return f"{value / 1e6:.3g} ms of CPU" if unit == "cpu_ns" else f"{value:.4g} {unit}"
