"""OpenSLO v1 documents as rules: https://github.com/OpenSLO/OpenSLO, apiVersion `openslo/v1`.

Read: SLO with an inline indicator or a reference, SLI, AlertPolicy, AlertCondition (burn rate);
Service and DataSource are accepted and not needed. What a metric source's `spec` says is left to
its reader by OpenSLO; Dynoscope's `type` is `dynoscope`:

- ratioMetric: `total: {metric: NAME, labels: {...}}` with `good` or `bad` likewise; or `good` with
  `{service, endpoint, good: status 2xx}`, whose total is the same requests.
- thresholdMetric: `{service, endpoint}` for the wall time of requests, in ms, or `{metric: NAME}`;
  the objective's `op` and `value` say which are good.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from alerting.burn import Tier
from alerting.rule_forms import default_keep_s, default_tiers
from alerting.rule_words import good_of, metric_of, seconds_of, within
from alerting.rules import Good, MetricSli, Slo

__all__ = ["API_VERSION", "OpenSloProblem", "openslo_rules"]

API_VERSION = "openslo/v1"
KINDS = (
    "SLO", "SLI", "AlertPolicy", "AlertCondition", "AlertNotificationTarget", "Service",
    "DataSource",
)  # fmt: skip
#: A burn-rate condition names one window; the workbook's short one is a twelfth of it.
SHORT = 12
PAGES = ("page", "critical", "high", "p1", "sev1", "sev0")

Path = tuple[str | int, ...]


class OpenSloProblem(Exception):
    """What is wrong, with the number of the document and the path in it."""

    def __init__(self, document: int, path: Path, message: str) -> None:
        super().__init__(f"{'.'.join(str(part) for part in path)}: {message}")
        self.document = document
        self.path = path


@dataclass(frozen=True, slots=True)
class _Place:
    """A value, and where it stands."""

    document: int
    path: Path
    value: Any

    def at(self, *path: str | int) -> "_Place":
        """A value beneath; None where it is not there."""
        value = self.value
        for part in path:
            if isinstance(value, Mapping):
                value = value.get(part)
            elif isinstance(value, list) and isinstance(part, int) and part < len(value):
                value = value[part]
            else:
                value = None
        return _Place(self.document, (*self.path, *path), value)

    def each(self) -> list["_Place"]:
        if self.value is None:
            return []
        if not isinstance(self.value, list):
            raise self.problem("a list is needed")
        return [self.at(i) for i in range(len(self.value))]

    def text(self, default: str | None = None) -> str:
        if self.value is None and default is not None:
            return default
        if not isinstance(self.value, str) or not self.value:
            raise self.problem("Field required, a text")
        return self.value

    def problem(self, message: str) -> OpenSloProblem:
        return OpenSloProblem(self.document, self.path, message)


Named = Mapping[tuple[str, str], _Place]


def openslo_rules(documents: Sequence[Mapping[str, Any]]) -> list[Slo]:
    """The SLOs of these documents; raises OpenSloProblem."""
    places = [_Place(i, (), data) for i, data in enumerate(documents)]
    named: dict[tuple[str, str], _Place] = {}
    for place in places:
        version, kind = place.at("apiVersion"), place.at("kind")
        if version.value != API_VERSION:
            raise version.problem(f"{version.value!r} is not read: write {API_VERSION}")
        if kind.value not in KINDS:
            raise kind.problem(f"{kind.value!r} is not known: one of {', '.join(KINDS)}")
        named[kind.value, place.at("metadata", "name").text()] = place
    return [
        slo for place in places if place.at("kind").value == "SLO" for slo in _slos(place, named)
    ]


def _slos(document: _Place, named: Named) -> list[Slo]:
    spec = document.at("spec")
    method = spec.at("budgetingMethod")
    if method.text("Occurrences") != "Occurrences":
        raise method.problem(f"{method.value} is not counted here: write Occurrences")
    objectives = spec.at("objectives").each()
    if not objectives:
        raise spec.at("objectives").problem("Field required, at least one")
    window_s = _window_s(spec)
    tiers = _tiers(spec, named) or default_tiers(window_s)
    name = document.at("metadata", "name").text()
    title = document.at("metadata", "displayName").text(name)
    slos = []
    for number, objective in enumerate(objectives, start=1):
        several = len(objectives) > 1
        service, endpoint, good = _indicator(spec, objective, named)
        words = objective.at("displayName").text(f"objective {number}") if several else ""
        slos.append(
            Slo(
                name=f"{name}-{number}" if several else name,
                service=service,
                endpoint=endpoint,
                objective=_target(objective),
                good=good,
                window_s=window_s,
                tiers=tiers,
                keep_firing_s=default_keep_s(window_s),
                title=f"{title}: {words}" if several else title,
            )
        )
    return slos


def _window_s(spec: _Place) -> float:
    windows = spec.at("timeWindow").each()
    if len(windows) != 1:
        raise spec.at("timeWindow").problem("Field required, one window")
    rolling = windows[0].at("isRolling")
    if rolling.value is not True:
        raise rolling.problem("only rolling windows are counted: write isRolling: true")
    return _seconds(windows[0].at("duration"))


def _target(objective: _Place) -> float:
    """Of `target` (0.99) or `targetPercent` (99)."""
    given, percent = objective.at("target"), objective.at("targetPercent")
    place = given if given.value is not None else percent
    try:
        share = float(Decimal(str(place.value)) / (1 if place is given else 100))
    except ArithmeticError:
        share = 0.0
    if not 0 < share < 1:
        raise place.problem(f"{place.value!r} is not a target: below 1, such as 0.999")
    return share


def _indicator(spec: _Place, objective: _Place, named: Named) -> tuple[str, str, Good]:
    """Service, endpoint, and what is good."""
    sli = spec.at("indicator")
    reference = spec.at("indicatorRef")
    if sli.value is None:
        found = named.get(("SLI", reference.text()))
        if found is None:
            raise reference.problem(f"no SLI is named {reference.value!r} in this file")
        sli = found
    ratio, threshold = sli.at("spec", "ratioMetric"), sli.at("spec", "thresholdMetric")
    if (ratio.value is None) == (threshold.value is None):
        raise sli.at("spec").problem("one of ratioMetric and thresholdMetric is needed")
    return _threshold(threshold, objective) if ratio.value is None else _ratio(ratio)


def _ratio(ratio: _Place) -> tuple[str, str, Good]:
    bad = ratio.at("bad").value is not None
    part = _source(ratio.at("bad" if bad else "good"))
    if not bad and part.at("good").value is not None:
        good = _made(part.at("good"), good_of)
        return part.at("service").text(""), part.at("endpoint").text(""), good
    chosen, total = _made(part, _metric), _made(_source(ratio.at("total")), _metric)
    words = f"{'not ' if bad else ''}counted by {chosen.name}"
    return _service(part), "", Good("metric", 0, words, MetricSli(total, chosen, bad))


def _threshold(threshold: _Place, objective: _Place) -> tuple[str, str, Good]:
    spec = _source(threshold)
    op, value = objective.at("op"), objective.at("value")
    if op.value not in ("lt", "lte", "gt", "gte"):
        raise op.problem("one of lt, lte, gt, gte is needed")
    if isinstance(value.value, bool) or not isinstance(value.value, int | float):
        raise value.problem("a number is needed")
    if spec.at("metric").value is None:
        if op.value not in ("lt", "lte"):
            raise op.problem("the wall time of good requests lies below the value: write lt")
        good = _made(value, lambda ms: within(round(ms), f"within {ms:g} ms"))
        return spec.at("service").text(""), spec.at("endpoint").text(""), good
    metric = _made(spec, _metric)
    above = op.value in ("gt", "gte")
    words = f"{metric.name} {'above' if above else 'below'} {value.value:g}"
    sli = MetricSli(metric, limit=float(value.value), above=above)
    return _service(spec), "", Good("metric", 0, words, sli)


def _source(place: _Place) -> _Place:
    """The spec of a metric source of ours."""
    kind = place.at("metricSource", "type")
    if kind.text("dynoscope") != "dynoscope":
        raise kind.problem(f"metrics of {kind.value!r} are not read here: write type: dynoscope")
    spec = place.at("metricSource", "spec")
    if not isinstance(spec.value, Mapping):
        raise spec.problem("Field required: what is measured")
    return spec


def _service(spec: _Place) -> str:
    return spec.at("service").text("")


def _metric(spec: Mapping[str, Any]) -> Any:
    return metric_of({key: value for key, value in spec.items() if key != "service"})


def _tiers(spec: _Place, named: Named) -> tuple[Tier, ...]:
    """Of the burn-rate conditions of the alert policies; none: the default ones."""
    policies = [_found(one, "AlertPolicy", "alertPolicyRef", named)
                for one in spec.at("alertPolicies").each()]  # fmt: skip
    conditions = [
        _found(one, "AlertCondition", "conditionRef", named)
        for policy in policies
        for one in policy.at("spec", "conditions").each()
    ]
    return tuple(_tier(condition.at("spec")) for condition in conditions)


def _found(place: _Place, kind: str, key: str, named: Named) -> _Place:
    """What stands inline, or what a name or `key` refers to."""
    reference = place if isinstance(place.value, str) else place.at(key)
    if reference.value is None:
        return place
    found = named.get((kind, reference.text()))
    if found is None:
        raise reference.problem(f"no {kind} is named {reference.value!r} in this file")
    return found


def _tier(spec: _Place) -> Tier:
    condition = spec.at("condition")
    kind, threshold = condition.at("kind"), condition.at("threshold")
    if str(kind.value).lower() != "burnrate":
        raise kind.problem("only conditions of the kind burnrate are known")
    if isinstance(threshold.value, bool) or not isinstance(threshold.value, int | float):
        raise threshold.problem("a number is needed: the burn rate")
    long_s = _seconds(condition.at("lookbackWindow"))
    severity = "page" if spec.at("severity").text("page").lower() in PAGES else "ticket"
    return Tier(float(threshold.value), long_s, long_s / SHORT, severity)


def _seconds(place: _Place) -> float:
    seconds: float = _made(place, seconds_of)
    return seconds


def _made(place: _Place, make: Any) -> Any:
    try:
        return make(place.value)
    except (TypeError, ValueError) as error:
        raise place.problem(str(error)) from error
