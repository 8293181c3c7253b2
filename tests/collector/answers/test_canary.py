"""A canary over stored rows, against plain loops; each engine."""

from dataclasses import replace

import pytest

from collector.answers.canary import SETTLE_MS, canary
from collector.answers.records import Window
from collector.errors import BadQuestion
from collector.store.store import Store
from profiler.canary_records import Canary
from tests.collector import rows
from tests.collector.answers.oracle import alive, failed, mean, quantile_ms, rows_of
from tests.collector.canary_rows import FOR_S, HOSTS, STARTED_MS, roll_out
from tests.collector.rows import ENDPOINTS, SERVICE

OVER_MS = STARTED_MS + FOR_S * 1000 + SETTLE_MS + 5_000
WINDOW = Window(OVER_MS - 7_200_000, OVER_MS)
FEED = ENDPOINTS[0]


@pytest.fixture(scope="module")
def sent(store):
    return roll_out(store.insert, feed_factor=1.5, gone_share=0.2, held_mb=150)


def asked(store: Store, window: Window = WINDOW, **words) -> Canary:
    words = {"service": SERVICE, "release": "r2", "control": "r1", "for_s": FOR_S, **words}
    return canary(store, window, **words).data


def worse(found: Canary) -> set[tuple[str, str]]:
    rows = (one for one in found.measures if one.verdict == "regression")
    return {(one.endpoint, one.measure) for one in rows}


def test_what_is_worse_is_named(store, sent):
    found = asked(store)
    assert found.verdict == "regression"
    assert (FEED, "cost") in worse(found)
    assert {what for _, what in worse(found)} <= {"cost", "latency", "404", "memory"}
    assert (found.hosts_canary, found.hosts_control) == (1, len(HOSTS) - 1)
    assert {one.unit_of_error for one in found.measures} == {"host"}


def test_its_numbers_are_those_of_plain_loops(store, sent):
    found = asked(store)
    whole_ms = found.started_ms // 10_000 * 10_000  # windows of 10 s
    new = rows_of(sent[2], end_ms=whole_ms + FOR_S * 1000 * found.look // found.looks)
    cost = next(one for one in found.measures if (one.endpoint, one.measure) == (FEED, "cost"))
    feed = [row for row in alive(new) if row["endpoint"] == FEED]
    warm = [row for row in feed if row["worker_req"] > 200 or row["worker_age_s"] > 120]
    assert cost.requests_canary == len(warm)
    assert cost.canary == pytest.approx(mean(warm, "cost"))
    shown = next(one for one in found.endpoints if one.endpoint == FEED)
    whole = [row for row in rows_of(sent[2]) if row["endpoint"] == FEED]
    assert shown.requests_canary == len(whole)
    assert shown.error_rate_canary == pytest.approx(failed(whole) / len(whole))
    assert shown.latency_ms_p50_canary == pytest.approx(quantile_ms(alive(whole), 0.5), rel=0.05)
    said = {status: share for status, share, _ in shown.statuses}
    answered = [row for row in whole if row["status"]]
    gone = sum(row["status"] == 404 for row in answered)
    assert said[404] == pytest.approx(gone / len(answered))


def test_memory_of_either_releases_processes(store, sent):
    (memory,) = (one for one in asked(store).measures if one.measure == "memory")
    assert memory.canary == pytest.approx(150e6)
    assert 102e6 < memory.control < 110e6
    assert memory.rise == pytest.approx(1.5 * 103 / 105.5 - 1, abs=0.02)


def test_looks_come_with_time(store, sent):
    due = []
    for passed_s in (0, 100, 125, 250, 605):
        to_ms = STARTED_MS + passed_s * 1000 + SETTLE_MS
        found = asked(store, replace(WINDOW, to_ms=to_ms))
        due.append((found.look, found.verdict))
    assert due[0] == due[1] == (0, "waiting")
    assert due[2][0] == 1
    assert due[-1][1] == "regression"


def test_a_release_that_never_served_waits_and_never_passes(store, sent):
    found = asked(store, release="r9")
    assert (found.verdict, found.headline) == ("waiting", "r9 has not served yet")
    found = asked(store, control="r9")
    assert (found.verdict, found.measures) == ("cannot tell", ())
    assert found.headline == "r9 did not serve at the same minutes"


def test_a_release_is_not_its_own_control(store, sent):
    with pytest.raises(BadQuestion, match="name two releases"):
        asked(store, control="r2")


def test_one_endpoint_alone(store, sent):
    found = asked(store, endpoint=ENDPOINTS[1])
    assert {one.endpoint for one in found.measures} == {ENDPOINTS[1], ""}


def test_the_newest_roll_out_counts(store, sent):
    again_ms = STARTED_MS + 1_800_000
    store.insert("requests", rows.request_rows(100, 9, release="r2", start_ms=again_ms), "again")
    later = Window(WINDOW.from_ms, again_ms + 60_000)
    assert asked(store, later).started_ms >= again_ms
    assert asked(store).started_ms < again_ms


def test_the_same_release_under_another_name_passes(store, sent):
    roll_out(store.insert, service="like", held_mb=101)
    found = asked(store, service="like")
    assert (found.verdict, worse(found)) == ("pass", set()), found.headline
    assert found.look == found.looks
