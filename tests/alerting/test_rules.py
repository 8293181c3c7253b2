"""Rule files: what they mean, and that a mistake is named with its line."""

import pytest

from alerting.rule_files import parse_rules
from alerting.rules import Good

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
