"""OpenSLO v1 documents as they are; what is not understood is named with its line."""

import pytest

from alerting.rule_files import parse_rules
from alerting.rules import Good, MetricPart, MetricSli

DOCUMENTS = """\
apiVersion: openslo/v1
kind: Service
metadata: {name: shop}
---
apiVersion: openslo/v1
kind: SLO
metadata:
  name: checkout-latency
  displayName: Checkout is fast
spec:
  service: shop
  indicator:
    metadata: {name: wall}
    spec:
      thresholdMetric:
        metricSource:
          type: dynoscope
          spec: {service: shop, endpoint: POST /checkout/}
  timeWindow:
    - duration: 28d
      isRolling: true
  budgetingMethod: Occurrences
  objectives:
    - {displayName: fast, op: lt, value: 500, target: 0.99}
    - {displayName: bearable, op: lte, value: 2000, targetPercent: 99.9}
  alertPolicies:
    - kind: AlertPolicy
      metadata: {name: inline}
      spec:
        conditions:
          - kind: AlertCondition
            metadata: {name: fast-burn}
            spec:
              severity: page
              condition: {kind: burnrate, op: gte, threshold: 14, lookbackWindow: 1h}
          - conditionRef: slow-burn
---
apiVersion: openslo/v1
kind: AlertCondition
metadata: {name: slow-burn}
spec:
  severity: low
  condition: {kind: burnrate, op: gte, threshold: 2, lookbackWindow: 1d}
---
apiVersion: openslo/v1
kind: SLI
metadata: {name: edge}
spec:
  ratioMetric:
    counter: true
    bad: {metricSource: {type: dynoscope, spec: {metric: edge_total, labels: {code: 5xx}}}}
    total: {metricSource: {type: dynoscope, spec: {metric: edge_total}}}
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: edge}
spec:
  indicatorRef: edge
  timeWindow: [{duration: 4w, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.999}]
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: uploads}
spec:
  indicator:
    spec:
      ratioMetric:
        good: {metricSource: {type: dynoscope, spec: {endpoint: POST /up/, good: status 2xx}}}
        total: {metricSource: {type: dynoscope, spec: {endpoint: POST /up/}}}
  timeWindow: [{duration: 30d, isRolling: true}]
  objectives: [{target: 0.999}]
"""


def test_the_documents_become_slos() -> None:
    rules, problems = parse_rules(DOCUMENTS, "a.yaml")
    assert problems == ()
    fast, bearable, edge, uploads = rules.slos
    assert (fast.name, bearable.name) == ("checkout-latency-1", "checkout-latency-2")
    assert (fast.service, fast.endpoint, fast.objective) == ("shop", "POST /checkout/", 0.99)
    assert (fast.good, bearable.good) == (
        Good("within", 500, "within 500 ms"),
        Good("within", 2_000, "within 2000 ms"),
    )
    assert bearable.objective == 0.999 and fast.window_s == 28 * 86_400
    assert fast.title == "Checkout is fast: fast"
    assert [(t.factor, t.long_s, t.short_s, t.severity) for t in fast.tiers] == [
        (14, 3_600, 300, "page"),
        (2, 86_400, 7_200, "ticket"),
    ]
    total = MetricPart("edge_total", {})
    assert edge.good.metric == MetricSli(total, MetricPart("edge_total", {"code": "5xx"}), True)
    assert [tier.factor for tier in edge.tiers] == [14.4, 6, 3, 1]
    assert edge.tiers[0].long_s == pytest.approx(3_600 * 28 / 30)
    assert (uploads.endpoint, uploads.good.kind) == ("POST /up/", "success")


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("budgetingMethod: Occurrences", "budgetingMethod: Timeslices", 22, "write Occurrences"),
        ("isRolling: true", "isRolling: false", 21, "only rolling"),
        ("duration: 28d", "duration: soon", 20, "not a duration"),
        ("value: 500", "value: 300", 24, "not counted exactly"),
        ("op: lt,", "op: gt,", 24, "write lt"),
        ("target: 0.99}", "target: 99}", 24, "not a target"),
        ("type: dynoscope", "type: Prometheus", 17, "'Prometheus' are not read here"),
        ("kind: Service", "kind: Servant", 2, "'Servant' is not known"),
        ("openslo/v1\nkind: Service", "openslo/v2\nkind: Service", 1, "write openslo/v1"),
        ("conditionRef: slow-burn", "conditionRef: no-burn", 36, "no AlertCondition is named"),
        ("indicatorRef: edge", "indicatorRef: hedge", 58, "no SLI is named 'hedge'"),
        ("threshold: 2,", "threshold: two,", 43, "a number is needed"),
    ],
)
def test_what_is_not_understood_is_named_with_its_line(
    old: str, new: str, line: int, says: str
) -> None:
    assert old in DOCUMENTS
    rules, problems = parse_rules(DOCUMENTS.replace(old, new, 1), "a.yaml")
    assert rules.names() == ()
    (problem,) = problems
    assert problem.line == line and says in problem.message, problem


def test_the_short_form_may_stand_beside_them() -> None:
    text = f"slos:\n  - {{name: mine, target: p99 < 1 s}}\n---\n{DOCUMENTS}"
    rules, problems = parse_rules(text, "a.yaml")
    assert problems == () and "mine" in rules.names() and len(rules.all) == 5
