"""The past of a threshold rule, beside the rule itself at the same moments."""

import uuid

import numpy as np
import pytest

from alerting.past_thresholds import past_of_threshold, step_of
from alerting.rule_files import parse_rules
from alerting.rules import ThresholdRule
from alerting.thresholds import ThresholdWatch
from alerting.walk import would_fire
from collector.store.store import Store
from tests.collector.rows import START_MS, metric_rows

MINUTE_MS = 60_000


def rule_of(text: str) -> ThresholdRule:
    rules, problems = parse_rules(f"alerts:\n  - {{name: t, kind: threshold, {text}}}\n", "t.yaml")
    assert not problems, problems
    (rule,) = rules.all
    assert isinstance(rule, ThresholdRule)
    return rule


@pytest.fixture(scope="module")
def busy(stored: Store) -> Store:
    """Two hours of a gauge of two hosts that wanders, with a gap."""
    rng = np.random.default_rng(5)
    for host in ("web-1", "web-2"):
        values = list(np.clip(0.5 + np.cumsum(rng.normal(0, 0.05, 480)), 0, 1))
        for begin, end in ((0, 300), (340, 480)):
            rows = metric_rows(
                "busy", values[begin:end], start_ms=START_MS + begin * 15_000, step_ms=15_000,
                host=host,
            )  # fmt: skip
            stored.insert("metrics", rows, uuid.uuid4().hex)
    return stored


@pytest.mark.parametrize(
    "text",
    [
        "metric: busy, by: [host], over: 5m, above: 0.6",
        "metric: busy, by: [host], over: 2m, above: 0.6, for: 3m, keep_firing_for: 4m",
        "metric: busy, aggregate: min, over: 1m, below: 0.3, severity: page",
        "metric: busy, aggregate: newest, by: [host], over: 1m, above: 0.7",
        "metric: busy, aggregate: age, over: 30m, above: 120",
        "metric: busy, aggregate: rate, over: 10m, above: 0.03",
        "metric: {metric: busy, labels: {there: none}}, over: 1m, above: 0",
    ],
)
def test_the_same_as_the_rule_minute_by_minute(busy: Store, text: str) -> None:
    rule = rule_of(text)
    end_ms = START_MS + 120 * MINUTE_MS
    watch = ThresholdWatch(busy)
    expected = would_fire(
        lambda now_ms, firing: watch.check(rule, now_ms, firing),
        range(START_MS + step_of(rule), end_ms + 1, step_of(rule)),
    )
    assert past_of_threshold(busy, rule, START_MS, end_ms) == expected
    assert bool(expected) == ("labels" not in text)


def test_long_windows_move_on_in_longer_steps() -> None:
    assert [step_of(rule_of(f"metric: m, above: 1, over: {over}")) for over in ("30s", "6h")] == [
        MINUTE_MS,
        36 * MINUTE_MS,
    ]
