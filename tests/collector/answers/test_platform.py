"""Services, hosts, changes, health: who sends what, and is it well?"""

import pytest

from collector.answers.changes import changes
from collector.answers.health import health
from collector.answers.hosts import hosts
from collector.answers.records import LimitRow, Window
from collector.answers.services import services
from tests.collector import rows
from tests.collector.answers.oracle import rows_of
from tests.collector.rows import SERVICE, START_MS

WINDOW = Window(START_MS, START_MS + 3_600_000)
REQUESTS = (
    rows.request_rows(500, 1, release="r9"),
    rows.request_rows(500, 2, release="r10", start_ms=START_MS + 600_000),
)
SAMPLES = rows.sample_rows(60, 1, hosts=["web-1"])


@pytest.fixture(scope="module", autouse=True)
def filled(store):
    for at, table in enumerate(REQUESTS):
        store.insert("requests", table, f"b{at}")
    store.insert("requests", rows.request_rows(20, 3, service="zoo", hosts=["z"]), "zoo")
    store.insert("stack_samples", SAMPLES, "s1")
    store.insert("metrics", rows.metric_rows("cpu_percent", [5.0, 7.0]), "m1")
    store.insert("metrics", rows.metric_rows("memory_bytes", [1e9], labels=["kind=rss"]), "m2")
    store.insert("metrics", rows.metric_rows("feed_score", [1.0], source="statsd"), "m3")
    store.insert("metrics", rows.metric_rows("cpu_percent", [9.0], host="idle-1"), "m4")
    store.insert("limits", rows.limit_rows("records_overwritten", 3), "l1")
    store.insert("changes", rows.deploy_rows("r10", "r9", ts_ms=START_MS + 600_000), "c1")
    store.insert("changes", rows.deploy_rows("z1", service="zoo"), "c2")


def test_services_list_releases_in_order_of_their_first_request(store):
    answer = services(store)
    assert [row.service for row in answer.data] == [SERVICE, "zoo"]
    first = answer.data[0]
    assert (first.hosts, first.regions) == (("web-1", "web-2"), ("eu",))
    assert first.releases == ("r9", "r10")
    assert first.last_ms == answer.as_of_ms == max(r["ts_ms"] for r in rows_of(*REQUESTS))


def test_hosts_show_traffic_samples_metrics_and_limits(store):
    answer = hosts(store, WINDOW, SERVICE)
    assert [row.host for row in answer.data] == ["idle-1", "web-1", "web-2"]
    idle, one, two = answer.data
    sent = [row for row in rows_of(*REQUESTS) if row["host"] == "web-1"]
    assert one.requests == len(sent)
    assert one.releases == ("r10", "r9")
    assert (one.workers, one.cost_unit, one.region) == (2, "cpu_ns", "eu")
    assert one.samples == sum(row["samples"] for row in rows_of(SAMPLES))
    assert one.metrics == {"cpu_percent": 7.0, "memory_bytes{kind=rss}": 1e9}
    assert one.limits == (LimitRow("agent", "records_overwritten", 3),)
    assert one.last_ms == max(row["ts_ms"] for row in sent)
    assert (two.samples, two.metrics, two.limits) == (0, {}, ())
    assert (idle.requests, idle.workers, idle.metrics) == (0, 0, {"cpu_percent": 9.0})
    assert [row.host for row in hosts(store, WINDOW).data][-1] == "z"


def test_hosts_say_why_their_workers_do_not_count_instructions(store):
    """Each reason of the newest minutes once; what workers of an hour ago said is no more."""

    def say(start_ms, *reasons):
        for at, why in enumerate(reasons):
            labels = [f"pid={at}", f"unit_reason={why}"]
            said = {"start_ms": start_ms, "labels": labels, "source": "worker", "service": "why"}
            table = rows.metric_rows("worker_state", [1.0], **said)
            store.insert("metrics", table, f"why-{start_ms}-{at}")

    def reasons():
        (row,) = hosts(store, WINDOW, "why").data
        return row.cost_unit_reasons

    say(START_MS, "perf_event_open: ENOENT (No such file or directory)")
    assert reasons() == ("perf_event_open: ENOENT (No such file or directory)",)
    say(
        START_MS + 900_000, "", "perf_event_open: EPERM, seccomp", "perf_event_open: EPERM, seccomp"
    )
    assert reasons() == ("perf_event_open: EPERM, seccomp",)
    say(START_MS + 1_800_000, "")
    assert reasons() == ()


def test_changes_of_one_service_or_of_all(store):
    one = changes(store, WINDOW, SERVICE)
    assert [(c.release, c.previous, c.commits) for c in one.data] == [("r10", "r9", ("0123abc",))]
    assert one.as_of_ms == START_MS + 600_000
    assert [c.release for c in changes(store, WINDOW).data] == ["z1", "r10"]


def test_health_counts_what_is_stored(store):
    answer = health(store, WINDOW)
    sizes = {size.table: size.rows for size in answer.data.tables}
    assert sizes["requests"] == 1_020
    assert sizes["changes"] == 2
    assert answer.data.bytes == sum(size.bytes for size in answer.data.tables) > 1_000
    newest = max(r["ts_ms"] for r in rows_of(*REQUESTS))
    assert answer.data.lag_s == pytest.approx((WINDOW.to_ms - newest) / 1000)
    assert answer.limits == (LimitRow("agent", "records_overwritten", 3),)
