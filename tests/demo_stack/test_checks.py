"""A story's checks hold for a good run and fail for each way in which it can go wrong."""

from dataclasses import replace

import pytest

from demo_stack.checks import COST_RULE, FEED, LATENCY_RULE, Seen, checks_none, checks_regression

PLANTED = "photos.ranking.one:planted"
DEPLOY_MS, FAULT_MS, MEND_MS = 100_000, 200_000, 260_000


def alert(arrived_ms: int, rule: str, state: str = "firing", **labels: str):
    labels = {"endpoint": FEED, **labels}
    return {"arrived_ms": arrived_ms, "alert": {"rule": rule, "state": state, "labels": labels}}


COST = alert(150_000, COST_RULE, function=PLANTED)
LATE = alert(220_000, LATENCY_RULE)
OVER = alert(300_000, LATENCY_RULE, "resolved")
ROW = {"endpoint": FEED, "verdict": "regression", "requests_a": 9, "requests_b": 9}
LOAD = {"requests": 100, "failures": 0, "over_limit": 0}
GOOD = Seen(
    comparison={"guilty": {"function": PLANTED}, "endpoints": [ROW]},
    alerts=[COST, LATE, OVER],
    load=LOAD,
    deploy_ms=DEPLOY_MS,
    fault_ms=FAULT_MS,
    mend_ms=MEND_MS,
)
QUIET = Seen(
    comparison={"guilty": None, "endpoints": [{**ROW, "verdict": "no change"}]},
    alerts=[],
    load=LOAD,
    deploy_ms=DEPLOY_MS,
)


def failed(checks) -> list[str]:
    return [check.what for check in checks if not check.held]


def test_a_good_run_holds():
    assert failed(checks_regression(GOOD, PLANTED)) == []
    assert failed(checks_none(QUIET)) == []


def test_what_a_busy_machine_rings_is_no_fault_of_a_run():
    busy = [alert(50_000, "worker-starvation"), alert(210_000, "agent-lag")]
    assert failed(checks_regression(replace(GOOD, alerts=[*busy, *GOOD.alerts]), PLANTED)) == []
    assert failed(checks_none(replace(QUIET, alerts=busy))) == []


@pytest.mark.parametrize(
    ("lost", "held"), [({"failures": 2}, True), ({"failures": 2, "over_limit": 1}, False)]
)
def test_one_request_in_a_thousand_may_be_lost_and_no_more(lost, held):
    load = {**LOAD, "requests": 2_000, **lost}
    for checks in (
        checks_regression(replace(GOOD, load=load), PLANTED),
        checks_none(replace(QUIET, load=load)),
    ):
        assert (failed(checks) == []) == held


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"comparison": {"guilty": {"function": "x:y"}}}, "the planted function is ranked first"),
        ({"comparison": {"guilty": None}}, "the planted function is ranked first"),
        (
            {"alerts": [alert(50_000, COST_RULE, function=PLANTED), LATE, OVER]},
            "no alert before the deploy",
        ),
        (
            {"alerts": [alert(50_000, COST_RULE, function=PLANTED), LATE, OVER]},
            "the cost alert came after the deploy and names the function",
        ),
        (
            {"alerts": [alert(150_000, COST_RULE), LATE, OVER]},
            "the cost alert came after the deploy and names the function",
        ),
        (
            {"alerts": [LATE, OVER]},
            "the cost alert came after the deploy and names the function",
        ),
        ({"alerts": [COST, alert(190_000, LATENCY_RULE), OVER]}, "the P99 alert came only after"),
        ({"alerts": [COST]}, "the P99 alert came only after"),
        ({"alerts": [COST, LATE]}, "the P99 alert resolved"),
        (
            {"alerts": [COST, LATE, alert(240_000, LATENCY_RULE, "resolved")]},
            "the P99 alert resolved",
        ),
        ({"alerts": [COST, LATE, OVER, alert(210_000, "availability")]}, "no other alert"),
        (
            {"alerts": [COST, LATE, OVER, alert(150_000, COST_RULE, endpoint="GET /other/")]},
            "no other alert",
        ),
        ({"load": {**LOAD, "failures": 1}}, "at most one request in 1,000 was lost"),
        ({"load": {**LOAD, "over_limit": 1}}, "at most one request in 1,000 was lost"),
        ({"load": {**LOAD, "requests": 0}}, "at most one request in 1,000 was lost"),
    ],
)
def test_each_fault_of_a_run_is_found(changes, what):
    names = failed(checks_regression(replace(GOOD, **changes), PLANTED))
    assert any(name.startswith(what) for name in names), names


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"alerts": [COST]}, "no alert about the service"),
        ({"comparison": {"guilty": None, "endpoints": [ROW]}}, "no endpoint is reported"),
        ({"comparison": {"guilty": None, "endpoints": []}}, "both releases were compared"),
        (
            {"comparison": {"guilty": None, "endpoints": [{**ROW, "requests_b": 0}]}},
            "both releases were compared",
        ),
        (
            {"comparison": {"guilty": {"function": "x:y"}, "endpoints": [ROW]}},
            "no function is blamed",
        ),
        ({"load": {**LOAD, "failures": 2}}, "at most one request in 1,000 was lost"),
    ],
)
def test_each_false_finding_is_found(changes, what):
    names = failed(checks_none(replace(QUIET, **changes)))
    assert any(name.startswith(what) for name in names), names
