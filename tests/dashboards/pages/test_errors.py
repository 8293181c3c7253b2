from dashboards.blocks import frame
from dashboards.pages import alerts, errors
from tests.collector.rows import error_rows
from tests.dashboards.reading import answer, text
from tests.dashboards.records import NOW_MS


def test_errors_are_listed(pages, seeded):
    seeded.insert("errors", error_rows(3, start_ms=NOW_MS - 60_000), "errors-page")
    values = {frame.QUERY: pages.query("/errors")}
    table = answer(pages.app, pages.client, errors.TABLE, **values)[f"{errors.TABLE}.children"]
    assert "ValueError" in text(table) and "bad cursor" in text(table)


def test_the_alerts_page_says_how_alerting_fares(pages, seeded):
    values = {frame.QUERY: pages.query("/alerts")}
    part = f"{alerts.EVALUATORS}.children"
    told = answer(pages.app, pages.client, alerts.EVALUATORS, **values)[part]
    assert "No evaluator of rules has spoken" in text(told)
