"""The pages over a store in which nothing is yet."""

from dashboards.blocks import frame
from tests.dashboards.conftest import open_pages
from tests.dashboards.reading import answer, text


def test_an_empty_store_says_how_to_start(store):
    fresh = open_pages(store)
    values = {frame.QUERY: fresh.query(service="")}
    for part in ("overview-slos", "overview-cpu", "frame-service", "compare-result"):
        shown = text(answer(fresh.app, fresh.client, part, **values)[f"{part}.children"])
        assert "No data has arrived yet." in shown
        assert "dynoscope agent run" in shown
