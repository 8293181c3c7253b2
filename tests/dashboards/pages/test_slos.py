from dashboards.blocks import frame
from dashboards.pages import slos
from tests.dashboards.reading import answer, text


def test_slos_are_listed(pages):
    values = {frame.QUERY: pages.query("/slos")}
    table = answer(pages.app, pages.client, slos.TABLE, **values)[f"{slos.TABLE}.children"]
    shown = text(table)
    assert "feed-latency" in shown and "within 500 ms" in shown and "over 30 d" in shown
