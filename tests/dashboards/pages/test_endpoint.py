import pytest

from dashboards.blocks import frame
from dashboards.pages import endpoint
from tests.dashboards import seeds
from tests.dashboards.reading import answer, text
from tests.dashboards.records import EVIL


def asked(pages, part, **query):
    values = {frame.QUERY: pages.query("/endpoint", **query), frame.SCHEME: "light"}
    return answer(pages.app, pages.client, part, **values)


def shown(pages, part, **query):
    return asked(pages, part, **query)[f"{part}.children"]


def functions_of(pages, **query):
    """What they are, and the rows."""
    filled = asked(pages, endpoint.FUNCTIONS, **query)
    about = text(filled[f"{endpoint.ABOUT_FUNCTIONS}.children"])
    return about, filled.get(f"{endpoint.FUNCTION_GRID}.rowData")


def test_without_a_choice_it_is_the_dearest(pages):
    assert text(shown(pages, endpoint.FACTS)).startswith(seeds.FEED)


def test_facts_are_those_of_the_read_api(pages):
    facts = text(shown(pages, endpoint.FACTS, endpoint="POST /api/v1/like/"))
    rows = pages.client.get(f"/v1/endpoints?service={seeds.SERVICE}&from=-1h").get_json()["data"]
    (row,) = (row for row in rows if row["endpoint"] == "POST /api/v1/like/")
    assert f"{row['cost'] / 1e3:.0f} µs CPU" in facts
    assert f"{row['per_s']:.2f}/s" in facts
    assert f"{row['requests']:,}" in facts


def test_cost_rises_with_the_release(pages):
    filled = asked(pages, endpoint.HISTORY, endpoint=seeds.FEED)
    cost = filled["endpoint-cost.figure"]
    means = {t["name"]: sum(t["y"]) / len(t["y"]) for t in cost["data"]}
    assert means["r2"] / means["r1"] == pytest.approx(1.25, rel=0.03)
    assert cost["layout"]["annotations"][0]["text"].strip() == "deploy r2"


def test_functions_are_of_the_newest_release(pages):
    about, rows = functions_of(pages, endpoint=seeds.FEED)
    assert about.startswith("In r2: ")
    path = f"/v1/functions?service={seeds.SERVICE}&endpoint={seeds.FEED}&release=r2&from=-1h"
    costs = pages.client.get(path).get_json()["data"]
    assert [(row["function"], row["self_ns"]) for row in rows] == [
        (cost["function"], cost["self_ns"]) for cost in costs
    ]
    assert rows[0]["function"] == seeds.GUILTY


def test_an_older_release_can_be_asked_for(pages):
    assert functions_of(pages, endpoint=seeds.FEED, release="r1")[0].startswith("In r1: ")


def test_without_samples_it_says_so(pages):
    panel = shown(pages, endpoint.FUNCTIONS, endpoint="task feed.fan")
    assert "No on-CPU sample" in text(panel)


def test_hostile_names_are_text(pages):
    assert EVIL in text(shown(pages, endpoint.FACTS, endpoint=seeds.EVIL_ENDPOINT))
    _, rows = functions_of(pages, endpoint=seeds.EVIL_ENDPOINT)
    assert f"m:{EVIL}" in [row["function"] for row in rows]


def test_an_endpoint_that_was_not_called_is_named(pages):
    for part in (endpoint.FACTS, endpoint.HISTORY, endpoint.FUNCTIONS):
        assert "GET /nowhere/ served no request" in text(
            shown(pages, part, endpoint="GET /nowhere/")
        )
