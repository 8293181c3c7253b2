"""Threshold rules over stored metrics."""

import uuid
from typing import Any

import pytest

from alerting.rule_files import parse_rules
from alerting.rules import ThresholdRule
from alerting.thresholds import ThresholdWatch, values_of
from collector.store.slo_reads import MetricSet
from collector.store.store import Store
from tests.collector.rows import START_MS, metric_rows


def rule_of(text: str) -> ThresholdRule:
    rules, problems = parse_rules(f"alerts:\n  - {{name: t, kind: threshold, {text}}}\n", "t.yaml")
    assert not problems, problems
    (rule,) = rules.all
    assert isinstance(rule, ThresholdRule)
    return rule


def put(stored: Store, name: str, values: list[float], **changes: Any) -> None:
    stored.insert("metrics", metric_rows(name, values, **changes), uuid.uuid4().hex)


def one(value: float, newest_ms: int, host: str = "a", *labels: str) -> MetricSet:
    return MetricSet("s", host, labels, 2, 2 * value, value - 1, value + 1, value, newest_ms, "")


@pytest.mark.parametrize(
    ("aggregate", "wanted"),
    [("mean", 4.0), ("max", 6.0), ("min", 2.0), ("sum", 16.0), ("rate", 1.6), ("newest", 5.0),
     ("age", 2.0)],
)  # fmt: skip
def test_what_a_rule_looks_at(aggregate: str, wanted: float) -> None:
    rule = rule_of(f"metric: m, aggregate: {aggregate}, over: 10s, above: 1")
    sets = [
        one(3, 1_000),
        one(5, 8_000, "b", "code=500"),
    ]
    (value,) = values_of(rule, sets, 10_000)
    assert (value.key, value.value) == (("s",), wanted)


def test_by_and_labels_tell_apart() -> None:
    rule = rule_of("metric: {metric: m, labels: {code: 5..}}, by: [host, code], above: 1")
    sets = [one(3, 1, "a", "code=500"), one(4, 1, "a", "code=200"), one(5, 1, "b", "code=503")]
    assert {v.key: v.value for v in values_of(rule, sets, 10)} == {
        ("s", "a", "500"): 3,
        ("s", "b", "503"): 5,
    }


def test_for_and_keep_firing_and_silence_is_no_recovery(stored: Store) -> None:
    rule = rule_of("metric: busy_for, by: [host], over: 1m, above: 0.9, for: 30s")
    put(stored, "busy_for", [0.95] * 24)
    watch = ThresholdWatch(stored, "http://x")
    states = []
    open_ids: set[str] = set()
    for second in range(10, 210, 10):
        check = watch.check(rule, START_MS + second * 1_000, open_ids)
        open_ids |= {finding.id for finding in check.findings}
        states.append((len(check.findings), len(check.unknown)))
    assert states[:3] == [(0, 0)] * 3 and states[3] == (1, 0)
    assert states[16:] == [(1, 0)] + [(0, 1)] * 3  # the last point is 115 s old: no data
    (finding,) = watch.check(rule, START_MS + 60_000, open_ids).findings
    assert finding.labels == {"service": "instagram", "metric": "busy_for", "host": "web-1"}
    assert "0.95, above 0.9" in finding.summary


def test_a_dip_starts_the_wait_anew(stored: Store) -> None:
    rule = rule_of("metric: dips, over: 5s, below: 1, for: 20s")
    put(stored, "dips", [0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0])
    watch = ThresholdWatch(stored)
    fired = [
        second
        for second in range(5, 60, 5)
        if watch.check(rule, START_MS + second * 1_000, ()).findings
    ]
    assert fired == [50, 55]


def test_what_stays_away_grows_old_and_is_then_forgotten(stored: Store) -> None:
    rule = rule_of("metric: agent_rss, aggregate: age, over: 1h, by: [host], above: 300")
    put(stored, "agent_rss", [1.0], host="away")
    put(stored, "agent_rss", [1.0] * 800, host="there")
    watch = ThresholdWatch(stored)

    def hosts(minute: int) -> list[str]:
        check = watch.check(rule, START_MS + minute * 60_000, ())
        return [finding.labels["host"] for finding in check.findings]

    assert [hosts(minute) for minute in (4, 6, 59)] == [[], ["away"], ["away"]]
    assert hosts(61) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("metric: m", "one of `above` and `below`"),
        ("metric: m, above: 1, below: 2", "one of `above` and `below`"),
        ("metric: '', above: 1", "not the name of a metric"),
        ("metric: {metric: m, labels: {a: '['}}, above: 1", "no regular expression"),
        ("metric: m, above: 1, aggregate: median", "aggregate"),
        ("metric: m, above: 1, for: 5", "not a duration"),
    ],
)
def test_a_mistake_is_named(text: str, says: str) -> None:
    problems = parse_rules(f"alerts:\n  - {{name: t, kind: threshold, {text}}}\n", "t.yaml")[1]
    assert problems and problems[0].line == 2 and says in str(problems[0])
