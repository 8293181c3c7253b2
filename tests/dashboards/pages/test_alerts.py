from dashboards.blocks import frame
from dashboards.pages import alerts
from tests.dashboards.reading import answer, links, text


def test_alerts_are_listed(pages):
    values = {frame.QUERY: pages.query("/alerts")}
    table = answer(pages.app, pages.client, alerts.TABLE, **values)[f"{alerts.TABLE}.children"]
    assert "costs 25% more CPU" in text(table)
    assert "still firing" in text(table)
    assert links(table)[0].startswith("/compare?")
