"""Rule files: what they mean, and that a mistake is named with its line."""

import pytest

from alerting.rule_files import parse_rules
from alerting.rules import Good, MetricPart, MetricSli

GOOD = """\
slos:
  - name: feed-latency
    endpoint: GET /api/v1/feed/
    objective: 99%
    good: within 500 ms
alerts:
  - name: dearer
    kind: cost-between-releases
"""


def test_the_short_form() -> None:
    rules, problems = parse_rules(GOOD, "a.yaml")
    assert problems == ()
    (slo,), (cost,) = rules.slos, rules.costs
    assert (slo.service, slo.endpoint, slo.objective) == ("", "GET /api/v1/feed/", 0.99)
    assert slo.good == Good("within", 500, "within 500 ms")
    assert slo.window_s == 30 * 86_400
    assert [tier.long_s for tier in slo.tiers] == pytest.approx([3_600, 21_600, 86_400, 259_200])
    assert slo.keep_firing_s == 300
    assert (cost.budget, cost.endpoints, cost.severity) == (0.01, (), "ticket")


def test_shares_durations_and_burn_tiers_of_ones_own() -> None:
    text = """\
slos:
  - name: uploads
    service: any
    endpoint: POST /api/v1/media/
    objective: 0.999
    good: status 2xx
    window: 7d
    keep_firing_for: 2m
    burn:
      - {factor: 10, long: 30m, short: 90s, severity: ticket}
alerts:
  - {name: c, kind: cost-between-releases, endpoints: [GET /a/], budget: 2.5%, severity: page}
"""
    rules, problems = parse_rules(text, "a.yaml")
    assert problems == ()
    (slo,), (cost,) = rules.slos, rules.costs
    assert (slo.objective, slo.window_s, slo.keep_firing_s) == (0.999, 7 * 86_400, 120)
    (tier,) = slo.tiers
    assert (tier.factor, tier.long_s, tier.short_s, tier.severity) == (10, 1_800, 90, "ticket")
    assert (cost.budget, cost.endpoints, cost.severity) == (0.025, ("GET /a/",), "page")


def test_another_window_keeps_factors_and_scales_the_rest() -> None:
    (slo,) = parse_rules(GOOD, "a.yaml")[0].with_window(3_600).slos
    assert slo.window_s == 3_600
    assert [tier.long_s for tier in slo.tiers] == pytest.approx([5, 30, 120, 360])
    assert [tier.factor for tier in slo.tiers] == [14.4, 6, 3, 1]
    assert slo.keep_firing_s == 10


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("99%", "101%", 4, "not a share"),
        ("99%", "never", 4, "not a share"),
        ("500 ms", "300 ms", 5, "not counted exactly"),
        ("within 500 ms", "fast", 5, "write one of"),
        ("    objective: 99%\n", "", 2, "Field required"),
        ("objective", "objektive", 4, "objektive"),
        ("cost-between-releases", "cost-between-moons", 8, "cost-between-releases"),
        ("name: dearer", "name: feed-latency", 7, "two rules are named"),
        ("name: dearer", "name: 'a b'", 7, "pattern"),
        ("slos:", "slo:", 1, "not permitted"),
        ("slos:\n", "slos: [\n", 2, "not YAML"),
    ],
)
def test_a_mistake_is_named_with_its_line(old: str, new: str, line: int, says: str) -> None:
    rules, problems = parse_rules(GOOD.replace(old, new, 1), "a.yaml")
    assert rules.names() == ()
    assert (problems[0].file, problems[0].line) == ("a.yaml", line), problems
    assert says in problems[0].message


@pytest.mark.parametrize("value", ["5", "-5s", "0s", "1 fortnight", "null"])
def test_a_duration_needs_a_unit(value: str) -> None:
    text = GOOD.replace("    good:", f"    window: {value}\n    good:")
    (problem,) = parse_rules(text, "a.yaml")[1]
    assert (problem.line, "not a duration" in problem.message) == (5, True)


def test_an_empty_file_has_no_rules_and_a_list_is_refused() -> None:
    assert parse_rules("", "a.yaml") == (parse_rules("# nothing\n", "a.yaml")[0], ())
    (problem,) = parse_rules("- a\n", "a.yaml")[1]
    assert problem.line == 1


@pytest.mark.parametrize(
    ("target", "objective", "good"),
    [
        ("p99 < 500 ms", 0.99, Good("within", 500, "within 500 ms")),
        ("P99.9<1 s", 0.999, Good("within", 1_000, "within 1 s")),
        ("availability > 99.99%", 0.9999, Good("available", 0, "status below 500")),
        ("success > 99.9%", 0.999, Good("success", 0, "status 2xx")),
        ("crash rate < 0.1%", 0.999, Good("no crash", 0, "no crash")),
    ],
)
def test_a_target_as_people_say_it(target: str, objective: float, good: Good) -> None:
    text = f"slos:\n  - name: s\n    target: {target!r}\n"
    rules, problems = parse_rules(text, "a.yaml")
    assert problems == ()
    (slo,) = rules.slos
    assert (slo.objective, slo.good) == (objective, good)


@pytest.mark.parametrize(
    "text",
    ["target: fast", "target: crash rate > 1%", "target: p99 < 5 s, objective: 99%",
     "target: p99 < 300 ms", "objective: 99%",
     "objective: 99%, total: a, good: {metric: b}, bad: c",
     "objective: 99%, bad: {metric: c}", "objective: 99%, metric: a, good: fast",
     "objective: 99%, metric: a, good: below 5, endpoint: GET /a/"],
)  # fmt: skip
def test_a_promise_that_is_none_is_refused(text: str) -> None:
    rules, problems = parse_rules(f"slos:\n  - {{name: s, {text}}}\n", "a.yaml")
    assert rules.names() == () and problems[0].line == 2


def test_slos_over_stored_metrics() -> None:
    text = """\
slos:
  - name: edge
    objective: 99.9%
    total: requests_total
    bad: {metric: requests_total, labels: {code: 5..}}
  - {name: queue, objective: 99%, metric: depth, good: below 50}
"""
    edge, queue = parse_rules(text, "a.yaml")[0].slos
    total = MetricPart("requests_total", {})
    bad = MetricPart("requests_total", {"code": "5.."})
    assert edge.good.metric == MetricSli(total, bad, True)
    assert edge.good.text == "not counted by requests_total{code=5..}"
    assert queue.good.metric == MetricSli(MetricPart("depth", {}), None, False, 50, False)


def test_every_kind_of_alert_has_its_defaults() -> None:
    text = """\
alerts:
  - {name: a, kind: threshold, metric: m, above: 1}
  - {name: b, kind: new-error}
  - {name: c, kind: cost-per-active-user}
  - {name: d, kind: cost-between-releases}
"""
    rules, problems = parse_rules(text, "a.yaml")
    assert problems == () and rules.names() == ("a", "b", "c", "d")
    assert {rule.severity for rule in rules.all} == {"ticket"}
    broken = parse_rules(text.replace("kind: new-error", "kind: new-terror"), "a.yaml")[1]
    assert broken[0].line == 3 and "alerts.1.kind" in broken[0].message
