"""What must be true at the end of a story, and what was seen: pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["COST_RULE", "FEED", "LATENCY_RULE", "Check", "Seen", "checks_none", "checks_regression"]

FEED = "GET /api/v1/feed/"
LOST_SHARE_MAX = 0.001
COST_RULE = "cost-between-releases"
LATENCY_RULE = "feed-latency"
#: They speak of the machine and Dynoscope itself: a machine busy with other things may ring them.
MACHINE_RULES = frozenset({"worker-starvation", "listen-queue", "agent-lag"})


@dataclass(frozen=True, slots=True)
class Check:
    """One condition of the story, whether it held, and what was seen."""

    what: str
    held: bool
    seen: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What the story saw. Times in epoch ms; 0: did not happen."""

    #: the answer of /v1/compare, a `Comparison` as JSON
    comparison: dict[str, Any]
    #: {"arrived_ms", "alert"}, oldest first
    alerts: Sequence[dict[str, Any]]
    #: the load's summary
    load: dict[str, Any]
    deploy_ms: int
    fault_ms: int = 0
    mend_ms: int = 0


def checks_regression(seen: Seen, planted: str) -> list[Check]:
    """The planted function was found, and each alert came in its time."""
    guilty = (seen.comparison["guilty"] or {}).get("function", "none")
    cost = [a for a in _alerts(seen, COST_RULE, "firing") if _labels(a)["endpoint"] == FEED]
    late = _alerts(seen, LATENCY_RULE, "firing")
    resolved = _alerts(seen, LATENCY_RULE, "resolved")
    early = [a for a in _of_service(seen) if a["arrived_ms"] < seen.deploy_ms]
    other = [
        a
        for a in _of_service(seen)
        if a["alert"].get("state") == "firing" and a not in (*cost, *late)
    ]
    named = [_labels(a).get("function", "no function") for a in cost]
    return [
        Check("the planted function is ranked first", guilty == planted, guilty),
        Check("no alert before the deploy", not early, _listed(early, seen)),
        Check(
            "the cost alert came after the deploy and names the function",
            bool(cost) and cost[0] not in early and planted in named,
            f"{_listed(cost, seen)}; names {', '.join(named) or 'nothing'}",
        ),
        Check(
            "the P99 alert came only after the fault",
            bool(late) and all(a["arrived_ms"] > seen.fault_ms > 0 for a in late),
            _listed(late, seen),
        ),
        Check(
            "the P99 alert resolved after the mending",
            bool(resolved) and resolved[-1]["arrived_ms"] > seen.mend_ms > 0,
            _listed(resolved, seen),
        ),
        Check("no other alert about the service", not other, _listed(other, seen)),
        _nothing_lost(seen),
    ]


def checks_none(seen: Seen) -> list[Check]:
    """Nothing was found where nothing was changed."""
    risen = [e["endpoint"] for e in seen.comparison["endpoints"] if e["verdict"] == "regression"]
    guilty = seen.comparison["guilty"]
    compared = [e for e in seen.comparison["endpoints"] if e["endpoint"] == FEED]
    return [
        Check(
            "both releases were compared on the feed",
            bool(compared) and compared[0]["requests_a"] > 0 < compared[0]["requests_b"],
            f"{compared[0]['requests_a']} and {compared[0]['requests_b']} requests"
            if compared
            else "not compared",
        ),
        Check("no endpoint is reported as dearer", not risen, ", ".join(risen) or "none"),
        Check("no function is blamed", guilty is None, guilty["function"] if guilty else "none"),
        Check(
            "no alert about the service", not _of_service(seen), _listed(_of_service(seen), seen)
        ),
        _nothing_lost(seen),
    ]


def _nothing_lost(seen: Seen) -> Check:
    """A roll-out loses none; a machine that is busy with other things may cost one now and then."""
    requests, failures = seen.load["requests"], seen.load["failures"]
    lost = failures + seen.load["over_limit"]
    return Check(
        "at most one request in 1,000 was lost",
        requests > 0 and lost <= requests * LOST_SHARE_MAX,
        f"{failures} of {requests} failed, {seen.load['over_limit']} not sent",
    )


def _of_service(seen: Seen) -> list[dict[str, Any]]:
    return [a for a in seen.alerts if a["alert"].get("rule") not in MACHINE_RULES]


def _alerts(seen: Seen, rule: str | None, state: str) -> list[dict[str, Any]]:
    return [
        a for a in seen.alerts
        if rule in (None, a["alert"].get("rule")) and a["alert"].get("state") == state
    ]  # fmt: skip


def _labels(alert: dict[str, Any]) -> dict[str, str]:
    return {"endpoint": "", **alert["alert"].get("labels", {})}


def _listed(alerts: Sequence[dict[str, Any]], seen: Seen) -> str:
    """`feed-latency firing 130 s after the deploy`, for each."""
    return "; ".join(
        f"{a['alert'].get('rule')} {a['alert'].get('state')} {_labels(a)['endpoint']} "
        f"{(a['arrived_ms'] - seen.deploy_ms) / 1000:+.0f} s from the deploy"
        for a in alerts
    ) or "none"  # fmt: skip
