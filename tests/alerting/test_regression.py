"""The cost rule: over comparisons built by hand, then over a real store with a real comparison."""

import uuid
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from alerting.build import build_evaluator
from alerting.regression import CostWatch, LiveRelease, newest_pair
from alerting.rules import CostRule
from collector.answers.records import Answer
from collector.store.store import Store
from profiler.records import (
    Comparison,
    Deploy,
    EndpointChange,
    Evidence,
    FunctionChange,
    Interval,
    Verdict,
)
from tests.alerting.conftest import Receiver
from tests.alerting.traffic import FEED, MINUTE_MS, SERVICE, START_MS, put_requests
from tests.collector.rows import deploy_rows

RULE = CostRule("cost", "", (), 0.05, "ticket", 60.0)
R1 = LiveRelease("r1", 1_000, 90_000)
R2 = LiveRelease("r2", 50_000, 100_000)
NO_IDS: frozenset[str] = frozenset()


def change_of(
    value: float = 0.25, half: float = 0.03, verdict: Verdict = "regression", n: int = 2_000
) -> EndpointChange:
    relative = Interval(value, value - half, value + half)
    return EndpointChange(
        FEED, "http", "cpu_ns", n, n, 5e6, 5e6 * (1 + value), relative, relative,
        1e-9, 1e-9, 1.0, 0, 0, 40, 41, verdict, "", half,
    )  # fmt: skip


GUILTY = FunctionChange(
    FEED, "feed.ranking:score", 0, 1e6, 2e6, 1e6, 2e6, Interval(1e6, 9e5, 1.1e6), 1e-9, 1e-9, 0.8,
    500, 600, "regression",
)  # fmt: skip
DEPLOY = Deploy(49_000, "r2", "r1", ("aaa", "bbb"), "")


def comparison_of(*changes: EndpointChange, guilty: FunctionChange | None = GUILTY) -> Comparison:
    return Comparison(
        "release:r1", "release:r2", SERVICE, "regression", "", (), changes,
        (GUILTY,), guilty, DEPLOY, Evidence(1, 1, 1, 1, 2, 30, 10.0, "host", 0, 0.0),
    )  # fmt: skip


class Comparer:
    """Answers what it is told to, each time with newer data unless `frozen`."""

    def __init__(self, *changes: EndpointChange, frozen: bool = False, **more: Any) -> None:
        self.changes, self.frozen, self.more = changes, frozen, more
        self.asked: list[tuple[str, str, str]] = []

    def __call__(
        self, service: str, a: str, b: str, to_ms: int, budget: float
    ) -> Answer[Comparison]:
        self.asked.append((service, a, b))
        as_of_ms = 7 if self.frozen else to_ms
        return Answer(comparison_of(*self.changes, **self.more), as_of_ms=as_of_ms)


def watch_of(comparer: Comparer, *releases: LiveRelease) -> CostWatch:
    return CostWatch(lambda service, to_ms: releases or (R1, R2), comparer, "http://x")


def test_it_fires_at_the_second_look_and_says_which_function_and_deploy() -> None:
    comparer = Comparer(change_of())
    watch = watch_of(comparer)
    assert watch.check(RULE, [SERVICE], 100_000, NO_IDS).findings == ()
    (finding,) = watch.check(RULE, [SERVICE], 110_000, NO_IDS).findings
    assert comparer.asked == [(SERVICE, "r1", "r2")] * 2
    assert finding.labels == {
        "service": SERVICE,
        "endpoint": FEED,
        "unit": "cpu_ns",
        "release": "r2",
        "function": "feed.ranking:score",
    }
    for part in ("+25.0%", "5 ms of CPU became 6.25 ms", "feed.ranking:score", "80%", "newest bbb"):
        assert part in finding.summary
    assert finding.details["deploy"]["release"] == "r2"
    assert finding.details["since_ms"] == DEPLOY.ts_ms
    assert "a=release%3Ar1&b=release%3Ar2" in finding.links["compare"]


def test_it_asks_at_most_every_ten_seconds() -> None:
    comparer = Comparer(change_of())
    watch = watch_of(comparer)
    for to_ms in range(100_000, 120_000, 1_000):
        watch.check(RULE, [SERVICE], to_ms, NO_IDS)
    assert len(comparer.asked) == 2


def test_a_second_look_without_new_data_is_no_second_look() -> None:
    comparer = Comparer(change_of(), frozen=True)
    watch = watch_of(comparer)
    for to_ms in range(100_000, 200_000, 10_000):
        assert watch.check(RULE, [SERVICE], to_ms, NO_IDS).findings == ()
    assert len(comparer.asked) == 10


@pytest.mark.parametrize(
    "change",
    [
        change_of(verdict="no change"),
        change_of(verdict="improvement"),
        change_of(value=0.07, half=0.03),  # certain, but within the budget of 5%
        change_of(value=0.12, half=0.05),  # past it by one look's interval, not by all looks'
        change_of(n=20),  # too early
    ],
)
def test_what_is_not_sure_enough_does_not_fire(change: EndpointChange) -> None:
    comparer = Comparer(change)
    watch = watch_of(comparer)
    for to_ms in range(100_000, 200_000, 10_000):
        check = watch.check(RULE, [SERVICE], to_ms, NO_IDS)
        assert (check.findings, check.unknown) == ((), frozenset())
    assert len(comparer.asked) == 10


def test_cannot_tell_is_unknown() -> None:
    watch = watch_of(Comparer(change_of(verdict="cannot tell")))
    check = watch.check(RULE, [SERVICE], 100_000, NO_IDS)
    assert (check.findings, len(check.unknown)) == ((), 1)


def test_two_sure_looks_must_follow_each_other() -> None:
    comparer = Comparer(change_of())
    watch = watch_of(comparer)
    for turn, change in enumerate((change_of(), change_of(half=0.15), change_of())):
        comparer.changes = (change,)
        assert watch.check(RULE, [SERVICE], 100_000 + turn * 10_000, NO_IDS).findings == ()


def test_an_open_alert_goes_on_while_the_plain_verdict_stands() -> None:
    comparer = Comparer(change_of())
    watch = watch_of(comparer)
    watch.check(RULE, [SERVICE], 100_000, NO_IDS)
    (finding,) = watch.check(RULE, [SERVICE], 110_000, NO_IDS).findings
    comparer.changes = (change_of(value=0.12, half=0.05),)
    assert len(watch.check(RULE, [SERVICE], 120_000, frozenset({finding.id})).findings) == 1
    comparer.changes = (change_of(verdict="no change"),)
    assert watch.check(RULE, [SERVICE], 130_000, frozenset({finding.id})).findings == ()


def test_only_the_endpoints_and_the_service_of_the_rule() -> None:
    comparer = Comparer(change_of())
    rule = replace(RULE, endpoints=("GET /other/",), service="only")
    watch = watch_of(comparer)
    for to_ms in (100_000, 110_000, 120_000):
        assert watch.check(rule, [SERVICE], to_ms, NO_IDS).findings == ()
    assert {service for service, _, _ in comparer.asked} == {"only"}


def test_an_endpoint_gets_its_own_function_whatever_is_guilty_elsewhere() -> None:
    elsewhere = replace(GUILTY, endpoint="GET /other/", function="other.views:thief")
    for guilty in (elsewhere, None):
        watch = watch_of(Comparer(change_of(), guilty=guilty))
        watch.check(RULE, [SERVICE], 100_000, NO_IDS)
        (finding,) = watch.check(RULE, [SERVICE], 110_000, NO_IDS).findings
        assert finding.labels["function"] == GUILTY.function


def test_it_waits_a_minute_for_a_function_and_no_longer() -> None:
    elsewhere = replace(change_of(), endpoint="GET /x/")
    watch = watch_of(Comparer(elsewhere))
    fired = [
        (to_ms, finding)
        for to_ms in range(100_000, 180_000, 10_000)
        for finding in watch.check(RULE, [SERVICE], to_ms, NO_IDS).findings
    ]
    to_ms, finding = fired[0]
    assert to_ms == 170_000
    assert "function" not in finding.labels and "No single function" in finding.summary


def test_the_newest_release_and_the_one_before_it() -> None:
    r3 = LiveRelease("r3", 90_000, 300_000)
    assert newest_pair([R1]) is None
    assert newest_pair([R2, r3, R1]) == (R2, r3)
    assert newest_pair([R1, LiveRelease("", 99_000, 100_000), R2]) == (R1, R2)
    back = replace(R1, last_ms=R2.last_ms + 120_001)
    assert newest_pair([back, R2]) is None


def put_release(store: Store, release: str, start_ms: int, cost_ns: float, seed: int) -> None:
    """Two minutes of feed and profile on two hosts; only the feed costs `cost_ns`."""
    rng = np.random.default_rng(seed)
    for host in ("web-1", "web-2"):
        for endpoint, mean in ((FEED, cost_ns), ("GET /api/v1/users/<name>/", 1.5e6)):
            cost = (mean * rng.lognormal(0, 0.15, 1_200)).astype(np.uint64)
            put_requests(
                store,
                start_ms=start_ms,
                span_ms=2 * MINUTE_MS,
                n=1_200,
                host=host,
                release=release,
                endpoint=endpoint,
                cost=cost,
                task_clock_ns=cost,
            )


@pytest.mark.parametrize(("factor", "fires"), [(1.25, True), (1.0, False)])
def test_over_a_real_store_a_dearer_release_alerts_and_an_equal_one_does_not(
    store: Store, receiver: Receiver, factor: float, fires: bool
) -> None:
    deployed_ms = START_MS + 2 * MINUTE_MS
    put_release(store, "r1", START_MS, 6e6, 1)
    put_release(store, "r2", deployed_ms, 6e6 * factor, 2)
    change = deploy_rows("r2", "r1", ts_ms=deployed_ms, service=SERVICE)
    store.insert("changes", change, uuid.uuid4().hex)
    evaluator = build_evaluator(store, slo_window_s=3_600, webhooks=[receiver.url], settle_s=2)
    fired_ms = 0
    for now_ms in range(START_MS, deployed_ms + 2 * MINUTE_MS, 15_000):
        result = evaluator.evaluate_once(now_ms)
        evaluator.deliver_once(now_ms)
        assert result.failures == ()
        fired_ms = fired_ms or (now_ms if result.changed else 0)
    if not fires:
        assert receiver.got == []
        return
    (payload,) = receiver.taken
    assert deployed_ms < fired_ms < deployed_ms + 2 * MINUTE_MS
    assert payload["rule"] == "cost-between-releases"
    assert payload["labels"]["endpoint"] == FEED and payload["labels"]["release"] == "r2"
    assert payload["details"]["endpoint"]["relative"]["value"] == pytest.approx(0.25, abs=0.03)
    assert payload["details"]["deploy"]["commits"] == ["0123abc"]
