"""When a cost rule would have fired, from the releases whose requests are kept."""

from collections.abc import Iterator, Mapping, Sequence

from alerting.alerts import Check
from alerting.regression import CostWatch, LiveRelease
from alerting.rules import CostRule
from alerting.walk import WouldFire, would_fire

__all__ = ["look_times", "past_of_releases"]

MINUTE_MS = 60_000
#: A release is looked at first so long after its first request, and then at twice the age.
FIRST_MS = 2 * MINUTE_MS
#: A comparison takes seconds.
LOOKS_MAX = 60


def past_of_releases(
    watch: CostWatch, rule: CostRule, services: Sequence[str], from_ms: int, to_ms: int
) -> tuple[list[WouldFire], int]:
    """The alerts, and how many looks were left out to stay below `LOOKS_MAX`, the oldest ones.
    `watch`: one that keeps no time between its looks. Raises StoreError."""
    by_service = {
        service: look_times(watch.releases_of(service, to_ms), from_ms, to_ms)
        for service in ([rule.service] if rule.service else services)
    }
    looks = sorted((time, service) for service, times in by_service.items() for time in times)
    chosen = looks[-LOOKS_MAX:]
    fired = []
    for service in by_service:

        def look(now_ms: int, firing: Mapping[str, str], service: str = service) -> Check:
            return watch.check(rule, [service], now_ms, frozenset(firing))

        fired += would_fire(look, [time for time, whose in chosen if whose == service])
    return fired, len(looks) - len(chosen)


def look_times(releases: Sequence[LiveRelease], from_ms: int, to_ms: int) -> list[int]:
    """At doubling ages of each release but the first, until the next one comes, and then."""
    known = sorted((one for one in releases if one.release), key=lambda one: one.first_ms)
    ends_ms = [one.first_ms for one in known[1:]] + [to_ms]
    found: set[int] = set()
    for one, end_ms in list(zip(known, ends_ms, strict=False))[1:]:
        last_ms = min(end_ms, one.last_ms + 1)
        found.update((*_ages(one.first_ms, last_ms), last_ms))
    return sorted(time for time in found if from_ms < time <= to_ms)


def _ages(first_ms: int, end_ms: int) -> Iterator[int]:
    age_ms = FIRST_MS
    while first_ms + age_ms < end_ms:
        yield first_ms + age_ms
        age_ms *= 2
