import pytest

from dashboards.blocks import frame
from dashboards.pages import overview
from tests.dashboards import seeds
from tests.dashboards.reading import answer, text, with_id
from tests.dashboards.records import EVIL


def shown(pages, part, **query):
    return asked(pages, part, **query)[f"{part}.children"]


def asked(pages, part, **query):
    values = {frame.QUERY: pages.query(**query), frame.SCHEME: "dark"}
    return answer(pages.app, pages.client, part, **values)


def test_the_layout_waits_for_its_answers():
    page = overview.layout(service="shop", **{"from": "-6h"})
    for part in (overview.SLOS, overview.FINDINGS, overview.CPU, overview.ENDPOINTS):
        assert text(with_id(page, part)["children"]) == "Loading"


def test_slos(pages):
    assert "99.87%" in text(shown(pages, overview.SLOS))


def test_findings_are_the_alert_and_the_deploy(pages):
    found = text(shown(pages, overview.FINDINGS))
    assert "firing" in found
    assert "costs 25% more CPU" in found
    assert EVIL in found
    assert "r2 replaced r1" in found


def test_endpoints_are_those_of_the_read_api(pages):
    filled = asked(pages, overview.ENDPOINTS)
    rows = pages.client.get(f"/v1/endpoints?service={seeds.SERVICE}&from=-1h").get_json()["data"]
    given = [
        (row["endpoint"], row["cost"], row["per_s"], row["db_ms"])
        for row in filled[f"{overview.ENDPOINT_GRID}.rowData"]
    ]
    assert given == [(row["endpoint"], row["cost"], row["per_s"], row["db_ms"]) for row in rows]
    assert filled[f"{overview.ENDPOINTS}.children"] is None
    assert len(given) == 6


def test_cpu_sums_to_the_endpoints_cores(pages):
    figure = asked(pages, overview.CPU)[f"{overview.CPU_CHART}.figure"]
    names = [trace["name"] for trace in figure["data"]]
    assert names[0] == seeds.FEED
    rows = pages.client.get(f"/v1/endpoints?service={seeds.SERVICE}&from=-1h").get_json()["data"]
    points = list(zip(*(trace["y"] for trace in figure["data"]), strict=True))
    mean = sum(sum(at) for at in points) / len(points)
    assert mean == pytest.approx(sum(row["cpu_cores"] for row in rows), rel=0.05)
    assert figure["layout"]["annotations"][0]["text"].strip() == "deploy r2"


def test_limits_are_shown(pages):
    assert "agent: samples late, 12 times" in text(shown(pages, overview.LIMITS))
    early = {"start": "2026-09-25T12:00:00Z", "end": "2026-09-25T12:10:00Z"}
    assert "Limits" not in text(shown(pages, overview.LIMITS, **early))


def test_a_quiet_window_says_so(pages):
    early = {"start": "2026-09-24T12:00:00Z", "end": "2026-09-24T13:00:00Z"}
    for part in (overview.CPU, overview.ENDPOINTS):
        assert "served no request in this time range" in text(shown(pages, part, **early))


def test_a_wrong_window_is_one_sentence(pages):
    sentence = text(shown(pages, overview.ENDPOINTS, start="yesterday"))
    assert sentence.startswith("This could not be answered The time 'yesterday'")


def test_an_unknown_service_is_named(pages):
    assert "named 'elsewhere'" in text(shown(pages, overview.SLOS, service="elsewhere"))
