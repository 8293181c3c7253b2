from dashboards.blocks import frame
from dashboards.pages import metrics
from tests.collector.rows import metric_rows
from tests.dashboards.reading import answer, text
from tests.dashboards.records import NOW_MS


def test_metrics_are_listed_and_one_is_drawn(pages, seeded):
    rows = metric_rows("mails_waiting", [3.0, 5.0], start_ms=NOW_MS - 60_000, source="statsd")
    seeded.insert("metrics", rows, "metrics-page")
    values = {frame.QUERY: pages.query("/series"), frame.SCHEME: "light"}
    listed = answer(pages.app, pages.client, metrics.TABLE, **values)[f"{metrics.TABLE}.children"]
    assert "mails_waiting" in text(listed) and "statsd" in text(listed)

    values[frame.QUERY] = pages.query("/series", metric="mails_waiting")
    drawn = answer(pages.app, pages.client, metrics.NOTE, **values)
    assert drawn[f"{metrics.NOTE}.children"] is None
    assert drawn[f"{metrics.CHART}.figure"]["data"][0]["name"] == "web-1"

    values[frame.QUERY] = pages.query("/series", metric="no_such")
    missing = answer(pages.app, pages.client, metrics.NOTE, **values)
    assert "No value of it" in text(missing[f"{metrics.NOTE}.children"])
