"""When a rule of new errors would have fired, from the minutes of all errors that are kept."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import numpy.typing as npt

from alerting.alerts import Check, Finding
from alerting.new_errors import why_told
from alerting.rules import NewErrorRule
from alerting.walk import WouldFire, would_fire
from collector.store.error_reads import ErrorCount, ErrorMinute, error_minutes
from collector.store.slo_reads import first_by_service
from collector.store.store import Store

__all__ = ["History", "counts_at", "histories", "past_of_errors"]

MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class History:
    """One fingerprint of a service. `minutes`: ends of the minutes that have it, UTC minutes;
    `events`: how often in each."""

    service: str
    error_fp: int
    type: str
    first_ms: int
    minutes: npt.NDArray[np.int64]
    events: npt.NDArray[np.int64]


def past_of_errors(store: Store, rule: NewErrorRule, from_ms: int, to_ms: int) -> list[WouldFire]:
    """Between two whole minutes; `over` is whole minutes, too. Raises StoreError."""
    known_since = first_by_service(store)
    known = histories(error_minutes(store, to_ms=to_ms, service=rule.service))
    length = max(1, -(-round(rule.over_s * 1000) // MINUTE_MS))
    seen_at: dict[int, list[History]] = {}
    for one in known:
        for minute in {m + later for m in one.minutes.tolist() for later in range(length)}:
            seen_at.setdefault(minute, []).append(one)

    def look(now_ms: int, firing: Mapping[str, str]) -> Check:
        findings = []
        for one in seen_at.get(now_ms // MINUTE_MS, []):
            counts = counts_at(one, now_ms // MINUTE_MS, length)
            since_ms = known_since.get(one.service, now_ms)
            if why_told(rule, counts, since_ms, now_ms, length * MINUTE_MS):
                findings.append(_finding(rule, one, now_ms))
        return Check(rule.name, tuple(findings), frozenset(), "", rule.keep_firing_s)

    return would_fire(look, range(from_ms + MINUTE_MS, to_ms + 1, MINUTE_MS))


def histories(minutes: Iterable[ErrorMinute]) -> list[History]:
    """`minutes` in order of service, fingerprint and time."""
    return [
        _history(service, error_fp, list(some))
        for (service, error_fp), some in groupby(minutes, lambda m: (m.service, m.error_fp))
    ]


def counts_at(one: History, minute: int, length: int) -> ErrorCount:
    """What `error_counts` says at the end of `minute`, for stretches of `length` minutes."""
    there = one.minutes <= minute
    stretches = np.bincount((minute - one.minutes[there]) // length, weights=one.events[there])
    return ErrorCount(
        one.service,
        one.error_fp,
        one.first_ms,
        minute * MINUTE_MS,
        int(stretches[0]),
        int(stretches[1:].max(initial=0)),
        int(stretches.sum()),
    )


def _history(service: str, error_fp: int, some: Sequence[ErrorMinute]) -> History:
    return History(
        service,
        error_fp,
        some[-1].type,
        some[0].first_ms,
        np.array([m.until_ms // MINUTE_MS for m in some], np.int64),
        np.array([m.events for m in some], np.int64),
    )


def _finding(rule: NewErrorRule, one: History, now_ms: int) -> Finding:
    fingerprint = f"{one.error_fp:016x}"
    labels = {"service": one.service, "error": f"{one.type} {fingerprint}"}
    return Finding(rule.name, (one.service, fingerprint), rule.severity, labels, "", now_ms)
