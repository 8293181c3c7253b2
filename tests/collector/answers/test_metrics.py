import pytest

from collector.answers.metrics import MetricPoint, metric, metrics
from collector.answers.records import Window
from collector.errors import BadQuestion
from tests.collector.rows import SERVICE, START_MS, metric_rows

HOUR = Window(START_MS, START_MS + 3_600_000)
SHORT = Window(START_MS, START_MS + 60_000)


@pytest.fixture(scope="module")
def measured(store):
    store.insert("metrics", metric_rows("host_load_1m", [1.0, 3.0], service=""), "load")
    for label, values in (("q=a", [2.0] * 4), ("q=b", [4.0] * 4)):
        rows = metric_rows("queue_depth", values, labels=[label], source="statsd", unit="jobs")
        store.insert("metrics", rows, label[-1])
    rows = metric_rows("mails_sent", [10.0, 20.0], source="statsd", kind="counter")
    store.insert("metrics", rows, "mails")
    other = metric_rows("elsewhere", [1.0], service="another")
    store.insert("metrics", other, "other")
    return store


def test_the_list_has_what_there_is_of_a_service_and_its_hosts(measured):
    rows = metrics(measured, HOUR, SERVICE).data
    found = [
        (row.metric, row.source, row.kind, row.hosts, row.sets, row.lowest, row.highest)
        for row in rows
    ]
    assert found == [
        ("host_load_1m", "host", "gauge", 1, 1, 3.0, 3.0),
        ("mails_sent", "statsd", "counter", 1, 1, 20.0, 20.0),
        ("queue_depth", "statsd", "gauge", 1, 2, 2.0, 4.0),
    ]
    assert "elsewhere" in [row.metric for row in metrics(measured, HOUR).data]
    assert metrics(measured, Window(0, 1_000), SERVICE).data == ()


def test_a_gauge_is_its_mean_by_host_and_labels(measured):
    a, b = metric(measured, SHORT, SERVICE, metric="queue_depth").data
    assert (a.labels, a.host, a.unit, a.kind) == (("q=a",), "web-1", "jobs", "gauge")
    assert [point.value for point in a.points] == [2.0, 2.0]
    assert [point.value for point in b.points] == [4.0, 4.0]


def test_a_counter_is_its_increase_per_second(measured):
    (line,) = metric(measured, SHORT, SERVICE, metric="mails_sent").data
    assert line.points == (MetricPoint(START_MS, 3.0),)
    assert line.unit == "/s"


def test_a_metric_must_be_named(measured):
    with pytest.raises(BadQuestion, match="metric is needed"):
        metric(measured, HOUR, SERVICE)
    assert metric(measured, HOUR, SERVICE, metric="nothing' OR 1").data == ()
