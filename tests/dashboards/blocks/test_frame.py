from dash import html

from dashboards.blocks import frame
from dashboards.urls import Query
from tests.dashboards.reading import links, plain, text, with_id


def shown(query, **options):
    return frame.page("/compare", "Compare", query, "-24h", (), (html.Div("body"),), **options)


def test_links_keep_service_and_time():
    there = links(shown(Query("shop", "GET /", start="-6h", a="release:r1")))
    assert "/flame?service=shop&from=-6h" in there


def test_the_query_travels_with_its_path():
    data = with_id(shown(Query("shop")), frame.QUERY)["data"]
    assert (data["path"], data["service"], data["start"]) == ("/compare", "shop", "")


def test_a_window_of_ones_own_is_shown_as_it_is():
    page = shown(Query(start="2026-01-31T12:00:00Z", end="2026-01-31T13:00:00Z"))
    assert "2026-01-31T12:00:00Z to 2026-01-31T13:00:00Z" in str(plain(page))


def test_pages_that_follow_the_clock_can_be_paused_others_are_refreshed():
    assert with_id(shown(Query()), frame.PAUSE)["label"] == "pause"
    assert "Refresh" in text(shown(Query(), refreshes=False))


def test_a_picker_offers_each_option_once_and_what_is_chosen():
    props = plain(frame.picker("a", "Before", "window:-2h..-1h", ["release:r1"] * 2, 100))["props"]
    assert [one["value"] for one in props["data"]] == ["release:r1", "window:-2h..-1h"]
    assert props["id"] == {"pick": "a", "was": "window:-2h..-1h"}
    every = plain(frame.picker("endpoint", "E", "", ["GET /"], 100, everything="all"))["props"]
    assert every["value"] == ""
    assert every["data"][0] == {"value": "", "label": "all"}
