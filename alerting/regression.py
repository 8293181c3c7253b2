"""The cost rule: alerts when an endpoint costs more per request in the newest release.

False pages: a comparison that is repeated while data grows crosses any fixed bound by chance some
day. So a finding must hold at the bound of a confidence sequence (`looks.py`), wider early, valid
for any number of looks, corrected for the number of endpoints, and that in two evaluations in a row
with new data in the second.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from alerting.alerts import Check, Finding, alert_id
from alerting.cost_message import cost_finding
from alerting.looks import believed_low
from alerting.rules import CostRule
from collector.answers.records import Answer
from profiler.records import Comparison, EndpointChange

__all__ = ["EVERY_MS", "CostWatch", "LiveRelease", "newest_pair"]

#: The comparison is the dearest question: at most this often.
EVERY_MS = 10_000
#: A release that had no request for so long while others had is not live any more.
GONE_MS = 120_000
LOOKS_MIN = 2
#: A sure finding waits so long for a function to be named as surely; then it goes out without one,
#: and once more when there is one.
NAMING_MS = 60_000


@dataclass(frozen=True, slots=True)
class LiveRelease:
    """A release of a service, with the times of its first and newest request."""

    release: str
    first_ms: int
    last_ms: int


#: (service, to_ms) -> its releases, oldest first
ReleasesOf = Callable[[str, int], Sequence[LiveRelease]]
#: (service, previous, release, to_ms, budget) -> the comparison
CompareReleases = Callable[[str, str, str, int, float], Answer[Comparison]]


@dataclass(slots=True)
class CostWatch:
    """Evaluates cost rules; remembers how often in a row each finding was made."""

    releases_of: ReleasesOf
    compare: CompareReleases
    base_url: str = ""
    every_ms: int = EVERY_MS
    _last: dict[str, tuple[int, Check]] = field(default_factory=dict)
    #: alert id -> (looks in a row, newest data of the last one)
    _looks: dict[str, tuple[int, int]] = field(default_factory=dict)
    #: alert id -> since when it is sure
    _sure_ms: dict[str, int] = field(default_factory=dict)

    def check(
        self, rule: CostRule, services: Sequence[str], to_ms: int, open_ids: frozenset[str]
    ) -> Check:
        """The findings of `rule`; the ones of the last time until `every_ms` has passed."""
        before = self._last.get(rule.name)
        if before is not None and 0 <= to_ms - before[0] < self.every_ms:
            return before[1]
        findings: list[Finding] = []
        unknown: set[str] = set()
        for service in services if not rule.service else [rule.service]:
            found, unsure = self._check_service(rule, service, to_ms, open_ids)
            findings += found
            unknown |= unsure
        check = Check(rule.name, tuple(findings), frozenset(unknown), "", rule.keep_firing_s)
        self._last[rule.name] = (to_ms, check)
        return check

    def _check_service(
        self, rule: CostRule, service: str, to_ms: int, open_ids: frozenset[str]
    ) -> tuple[list[Finding], set[str]]:
        pair = newest_pair(self.releases_of(service, to_ms))
        if pair is None:
            return [], set()
        previous, release = pair
        answer = self.compare(service, previous.release, release.release, to_ms, rule.budget)
        changes = [
            change
            for change in answer.data.endpoints
            if not rule.endpoints or change.endpoint in rule.endpoints
        ]
        findings: list[Finding] = []
        unknown: set[str] = set()
        for change in changes:
            key = (service, change.endpoint, change.unit, release.release)
            one = alert_id(rule.name, key)
            if change.verdict == "cannot tell":
                unknown.add(one)
            elif self._holds(one, change, rule, len(changes), answer.as_of_ms, open_ids):
                finding = cost_finding(
                    rule, key, change, answer.data, release.first_ms, to_ms, self.base_url
                )
                if one in open_ids or self._says_enough(finding, to_ms):
                    findings.append(finding)
        return findings, unknown

    def _holds(
        self,
        one: str,
        change: EndpointChange,
        rule: CostRule,
        comparisons: int,
        as_of_ms: int,
        open_ids: frozenset[str],
    ) -> bool:
        broken = change.verdict == "regression" and change.relative.low > rule.budget
        if one in open_ids:
            return broken
        low = believed_low(
            change.relative.low,
            change.chance,
            change.requests_a,
            change.requests_b,
            comparisons,
        )
        if not broken or not low > rule.budget:
            self._looks.pop(one, None)
            self._sure_ms.pop(one, None)
            return False
        looks, seen_ms = self._looks.get(one, (0, -1))
        if as_of_ms > seen_ms:
            looks += 1
            self._looks[one] = (looks, as_of_ms)
        return looks >= LOOKS_MIN

    def _says_enough(self, finding: Finding, to_ms: int) -> bool:
        since_ms = self._sure_ms.setdefault(finding.id, to_ms)
        return "function" in finding.labels or to_ms - since_ms >= NAMING_MS


def newest_pair(releases: Sequence[LiveRelease]) -> tuple[LiveRelease, LiveRelease] | None:
    """(previous, newest) by first request; None with one release, or when the newest went away."""
    known = sorted((r for r in releases if r.release), key=lambda r: r.first_ms)
    if len(known) < 2:
        return None
    newest = known[-1]
    if max(r.last_ms for r in known) - newest.last_ms > GONE_MS:
        return None
    return known[-2], newest
