"""Evaluates rules once, each by the module that knows its kind."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import assert_never

from alerting.alerts import Check
from alerting.diagnosis import DIAGNOSIS_S, Patience
from alerting.headline import check_headline
from alerting.new_errors import check_new_errors
from alerting.regression import CostWatch
from alerting.rules import CostRule, HeadlineRule, NewErrorRule, Rule, Slo, ThresholdRule
from alerting.slo import SloStatus, check_slo
from alerting.slo_reading import Alive, SloCounts
from alerting.thresholds import ThresholdWatch
from collector.store.slo_reads import first_by_service
from collector.store.store import Store

__all__ = ["Checker", "Moment", "is_dear"]


def is_dear(rule: Rule) -> bool:
    """Whether looking at it takes so long that no page may wait for it."""
    return isinstance(rule, CostRule | HeadlineRule)


@dataclass(frozen=True, slots=True)
class Moment:
    """What all rules of one evaluation share. `firing`: the severity of each open alert."""

    to_ms: int
    alive: Alive
    firing: Mapping[str, str]
    counts: SloCounts
    patience: Patience
    statuses: list[SloStatus] = field(default_factory=list)


@dataclass(slots=True)
class Checker:
    """`diagnosis_s`: how long the alerts of one look wait for what they say beside "it burns"."""

    store: Store
    costs: CostWatch
    thresholds: ThresholdWatch
    base_url: str
    diagnosis_s: float = DIAGNOSIS_S
    _first_ms: dict[str, int] = field(default_factory=dict)

    def check_all(self, rules: Iterable[Rule], moment: Moment) -> list[Check]:
        """One check a rule. Any failure is that rule's own: the others go on, and it is shown."""
        checks = []
        for rule in rules:
            try:
                checks.append(self._check(rule, moment))
            except Exception as error:
                checks.append(Check(rule.name, failed=f"{type(error).__name__}: {error}"))
        return checks

    def _check(self, rule: Rule, moment: Moment) -> Check:
        to_ms, firing = moment.to_ms, moment.firing
        if isinstance(rule, Slo):
            check, found = check_slo(
                self.store,
                rule,
                to_ms,
                moment.alive,
                firing,
                self.base_url,
                moment.counts,
                moment.patience,
                to_ms - moment.alive.from_ms,
            )
            moment.statuses.extend(found)
            return check
        if isinstance(rule, CostRule):
            return self.costs.check(rule, sorted(moment.alive.names), to_ms, frozenset(firing))
        if isinstance(rule, ThresholdRule):
            return self.thresholds.check(rule, to_ms, firing)
        if isinstance(rule, HeadlineRule):
            return check_headline(self.store, rule, to_ms, self.base_url)
        if isinstance(rule, NewErrorRule):
            first_ms = self._first_of(moment.alive.names)
            return check_new_errors(self.store, rule, to_ms, first_ms, self.base_url)
        assert_never(rule)

    def _first_of(self, services: frozenset[str]) -> dict[str, int]:
        """When each service sent its first request; asked again for services not known yet."""
        if services - self._first_ms.keys():
            self._first_ms = first_by_service(self.store)
        return self._first_ms
