"""The past of a cost rule: when each release is looked at, and over a real comparison."""

from alerting.past_releases import FIRST_MS, LOOKS_MAX, look_times, past_of_releases
from alerting.regression import CostWatch, LiveRelease
from alerting.releases import release_watch
from alerting.rules import CostRule
from collector.store.store import Store
from tests.alerting.test_regression import Comparer, change_of
from tests.alerting.traffic import MINUTE_MS, SERVICE, START_MS, put_requests

RULE = CostRule("cost", "", (), 0.05, "ticket", 60.0)


def test_each_release_is_looked_at_at_doubling_ages_until_the_next() -> None:
    hour_ms = 3_600_000
    releases = [
        LiveRelease("a", 0, hour_ms),
        LiveRelease("b", hour_ms, 2 * hour_ms),
        LiveRelease("c", hour_ms + 10 * MINUTE_MS, 3 * hour_ms),
    ]
    times = look_times(releases, 0, hour_ms + 30 * MINUTE_MS)
    assert [(time - hour_ms) / FIRST_MS for time in times] == [1, 2, 4, 5, 6, 7, 9, 13, 15]
    assert look_times(releases[:1], 0, hour_ms) == []
    assert look_times(releases, hour_ms + 29 * MINUTE_MS, hour_ms + 30 * MINUTE_MS) == times[-1:]


def test_the_oldest_looks_are_left_out_where_there_are_too_many() -> None:
    releases = [LiveRelease(f"r{n}", n * 10_000_000, n * 10_000_000 + 9_000_000) for n in range(30)]
    watch = CostWatch(lambda service, to_ms: releases, Comparer(change_of()), every_ms=0)
    fired, left_out = past_of_releases(watch, RULE, [SERVICE], 0, 300_000_000)
    assert left_out > 0 and len(watch.compare.asked) <= LOOKS_MAX
    assert fired and all(one.started_ms > 100_000_000 for one in fired)


def test_a_dearer_release_would_have_fired(stored: Store) -> None:
    half_ms = 20 * MINUTE_MS
    for host in ("web-1", "web-2", "web-3"):
        for release, start_ms, cost in (("r1", START_MS, 5e6), ("r2", START_MS + half_ms, 7e6)):
            put_requests(
                stored, start_ms=start_ms, span_ms=half_ms, n=1_200, release=release,
                cost=int(cost), task_clock_ns=int(cost), host=host,
            )  # fmt: skip
    watch = release_watch(stored, "", 200, 120, every_ms=0)
    end_ms = START_MS + 2 * half_ms
    (one,), left_out = past_of_releases(watch, RULE, [SERVICE], START_MS, end_ms)
    assert (one.service, one.severity, left_out) == (SERVICE, "ticket", 0)
    assert "release r2" in one.what and START_MS + half_ms < one.started_ms <= end_ms
