"""Threshold rules: a number out of stored metrics, held against a limit for a while."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from alerting.alerts import Check, Finding, alert_id, rfc3339
from alerting.rules import ThresholdRule
from collector.store.slo_counts import labels_match
from collector.store.slo_reads import MetricSet, metric_sets
from collector.store.store import Store

__all__ = ["Key", "ThresholdWatch", "Value", "key_of", "value_of", "values_of"]

#: (service, value of each `by`)
Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Value:
    """What a rule looks at, for one key."""

    key: Key
    value: float
    unit: str
    newest_ms: int


@dataclass(slots=True)
class ThresholdWatch:
    """Evaluates threshold rules; remembers since when each is broken, for `for`."""

    store: Store
    base_url: str = ""
    _since_ms: dict[str, int] = field(default_factory=dict)

    def check(self, rule: ThresholdRule, to_ms: int, open_ids: Iterable[str]) -> Check:
        """Ids of which there is no point in the window are unknown: no data is no recovery."""
        sets = metric_sets(
            self.store,
            from_ms=max(0, to_ms - round(rule.over_s * 1000)),
            to_ms=to_ms,
            name=rule.metric.name,
            service=rule.service,
        )
        return self.judge(rule, values_of(rule, sets, to_ms), to_ms, open_ids)

    def judge(
        self, rule: ThresholdRule, seen: Iterable[Value], to_ms: int, open_ids: Iterable[str]
    ) -> Check:
        """The same of values that have been read."""
        values = {alert_id(rule.name, one.key): one for one in seen}
        findings = []
        for one, value in values.items():
            if not _breaks(rule, value.value):
                self._since_ms.pop(one, None)
                continue
            since_ms = self._since_ms.setdefault(one, to_ms)
            if one in open_ids or to_ms - since_ms >= rule.for_s * 1000:
                findings.append(_finding(rule, value, since_ms, to_ms, self.base_url))
        # An age is told by silence itself: what is out of sight is gone, not unknown.
        unknown = set() if rule.aggregate == "age" else set(open_ids) - set(values)
        return Check(rule.name, tuple(findings), frozenset(unknown), "", rule.keep_firing_s)


def values_of(rule: ThresholdRule, sets: Sequence[MetricSet], to_ms: int) -> list[Value]:
    """The rule's number for each key that has points."""
    by_key: dict[Key, list[MetricSet]] = {}
    for one in sets:
        if labels_match(one.labels, rule.metric.labels):
            by_key.setdefault(key_of(rule, one), []).append(one)
    return [value_of(rule, key, some, to_ms) for key, some in sorted(by_key.items())]


def value_of(rule: ThresholdRule, key: Key, sets: Sequence[MetricSet], to_ms: int) -> Value:
    """The rule's number of these sets, which are all of one key; they may be of one series at
    several times."""
    newest_ms = max(one.newest_ms for one in sets)
    return Value(key, _number(rule, sets, to_ms), sets[0].unit, newest_ms)


def key_of(rule: ThresholdRule, one: MetricSet) -> Key:
    known: Mapping[str, str] = {
        "host": one.host,
        **{name: value for name, _, value in (label.partition("=") for label in one.labels)},
    }
    return (one.service, *(known.get(name, "") for name in rule.by))


def _number(rule: ThresholdRule, sets: Sequence[MetricSet], to_ms: int) -> float:
    if rule.aggregate == "mean":
        return sum(one.summed for one in sets) / sum(one.points for one in sets)
    if rule.aggregate == "max":
        return max(one.highest for one in sets)
    if rule.aggregate == "min":
        return min(one.lowest for one in sets)
    newest = max(sets, key=lambda one: one.newest_ms)
    if rule.aggregate == "newest":
        return newest.newest
    if rule.aggregate == "age":
        return (to_ms - newest.newest_ms) / 1000
    return sum(one.summed for one in sets) / (rule.over_s if rule.aggregate == "rate" else 1)


def _breaks(rule: ThresholdRule, value: float) -> bool:
    return value > rule.limit if rule.above else value < rule.limit


def _finding(
    rule: ThresholdRule, value: Value, since_ms: int, to_ms: int, base_url: str
) -> Finding:
    service, *rest = value.key
    by = {name: word for name, word in zip(rule.by, rest, strict=True) if word}
    where = "".join(f", {name} {word}" for name, word in by.items())
    what = "age" if rule.aggregate == "age" else rule.aggregate
    unit = "s" if rule.aggregate == "age" else value.unit
    summary = (
        f"{rule.title} in {service or 'no service'}{where}: the {what} of {rule.metric.name} over "
        f"{rule.over_s:g} s is {value.value:.4g}{' ' + unit if unit else ''}, "
        f"{'above' if rule.above else 'below'} {rule.limit:g}, since {rfc3339(since_ms)}."
    )
    query = urlencode({"service": service}) if service else ""
    return Finding(
        rule=rule.name,
        key=value.key,
        severity=rule.severity,
        labels={"service": service, "metric": rule.metric.name, **by},
        summary=summary,
        started_ms=to_ms,
        details={
            "value": value.value,
            "limit": rule.limit,
            "above": rule.above,
            "since_ms": since_ms,
            "newest_ms": value.newest_ms,
        },
        links={"hosts": f"{base_url}/hosts?{query}"},
    )
