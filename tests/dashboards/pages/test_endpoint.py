import pytest

from dashboards.blocks import frame
from dashboards.pages import endpoint
from tests.dashboards import seeds
from tests.dashboards.reading import answer, text, with_id
from tests.dashboards.records import EVIL


def shown(pages, part, **query):
    values = {frame.QUERY: pages.query("/endpoint", **query), frame.SCHEME: "light"}
    return answer(pages.app, pages.client, f"{part}.children", **values)


def test_without_a_choice_it_is_the_dearest(pages):
    assert text(shown(pages, endpoint.FACTS)).startswith(seeds.FEED)


def test_facts_are_those_of_the_read_api(pages):
    facts = text(shown(pages, endpoint.FACTS, endpoint="POST /api/v1/like/"))
    asked = pages.client.get(f"/v1/endpoints?service={seeds.SERVICE}&from=-1h").get_json()["data"]
    (row,) = (row for row in asked if row["endpoint"] == "POST /api/v1/like/")
    assert f"{row['cost'] / 1e3:.0f} µs CPU" in facts
    assert f"{row['per_s']:.2f}/s" in facts
    assert f"{row['requests']:,}" in facts


def test_cost_rises_with_the_release(pages):
    history = shown(pages, endpoint.HISTORY, endpoint=seeds.FEED)
    cost = with_id(history, "endpoint-history-0")["figure"]
    means = {t["name"]: sum(t["y"]) / len(t["y"]) for t in cost["data"]}
    assert means["r2"] / means["r1"] == pytest.approx(1.25, rel=0.03)
    assert cost["layout"]["annotations"][0]["text"].strip() == "deploy r2"


def test_functions_are_of_the_newest_release(pages):
    panel = shown(pages, endpoint.FUNCTIONS, endpoint=seeds.FEED)
    assert "Functions in r2" in text(panel)
    rows = with_id(panel, "endpoint-functions-grid")["rowData"]
    path = f"/v1/functions?service={seeds.SERVICE}&endpoint={seeds.FEED}&release=r2&from=-1h"
    asked = pages.client.get(path).get_json()["data"]
    assert [(row["function"], row["self_ns"]) for row in rows] == [
        (cost["function"], cost["self_ns"]) for cost in asked
    ]
    assert rows[0]["function"] == seeds.GUILTY


def test_an_older_release_can_be_asked_for(pages):
    panel = shown(pages, endpoint.FUNCTIONS, endpoint=seeds.FEED, release="r1")
    assert "Functions in r1" in text(panel)


def test_without_samples_it_says_so(pages):
    panel = shown(pages, endpoint.FUNCTIONS, endpoint="task feed.fan")
    assert "No on-CPU sample" in text(panel)


def test_hostile_names_are_text(pages):
    assert EVIL in text(shown(pages, endpoint.FACTS, endpoint=seeds.EVIL_ENDPOINT))
    rows = with_id(
        shown(pages, endpoint.FUNCTIONS, endpoint=seeds.EVIL_ENDPOINT), "endpoint-functions-grid"
    )["rowData"]
    assert f"m:{EVIL}" in [row["function"] for row in rows]


def test_an_endpoint_that_was_not_called_is_named(pages):
    for part in (endpoint.FACTS, endpoint.HISTORY, endpoint.FUNCTIONS):
        assert "GET /nowhere/ served no request" in text(
            shown(pages, part, endpoint="GET /nowhere/")
        )
