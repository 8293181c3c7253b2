import logging

import dash
import pytest
from dash import Input, Output

from dashboards.app import PAGES
from dashboards.blocks import frame
from tests.dashboards.conftest import open_pages
from tests.dashboards.reading import answer, text, with_id


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.TITLE)
def test_every_page_is_served_and_listed_in_the_navigation(pages, page):
    response = pages.client.get(page.PATH)
    assert response.status_code == 200
    assert dash.page_registry[page.__name__]["title"] == f"{page.TITLE} · Dynoscope"
    assert (page.PATH, page.TITLE) in frame.NAV


def test_pages_need_a_session(pages):
    stranger = pages.app.server.test_client()
    assert stranger.get("/").status_code == 401
    assert stranger.post("/_dash-update-component", json={}).status_code == 401


def test_the_other_routes_stay_those_of_the_collector(pages):
    assert pages.client.get("/healthz").get_json() == {"status": "ok"}
    assert pages.client.get("/v1/services").get_json()["data"][0]["releases"] == ["r1", "r2"]


def test_nothing_comes_from_another_host(pages):
    index = pages.client.get("/").get_data(as_text=True)
    head = index.split("<body>")[0]
    assert "http:" not in head and "https:" not in head and '="//' not in head
    for asset in ("favicon.svg", "style.css", "flame.js", "grid.js", "scheme.js"):
        with pages.client.get(f"/assets/{asset}") as response:
            assert response.status_code == 200


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.TITLE)
def test_unknown_words_of_an_address_are_left_out_and_others_are_data(page):
    held = with_id(page.layout(colour="red", service="<b>"), frame.QUERY)["data"]
    assert held["service"] == "<b>"
    assert "red" not in held.values()


def test_what_nobody_foresaw_is_logged_and_told(seeded, caplog):
    fresh = open_pages(seeded)

    @fresh.app.callback(Output("x", "children"), Input("y", "value"))
    def broken(_):
        raise ZeroDivisionError("secret detail")

    with caplog.at_level(logging.ERROR):
        shown = text(answer(fresh.app, fresh.client, "x", y=1)["x.children"])
    assert "log of the serving process" in shown
    assert "secret" not in shown
    assert "secret detail" in caplog.text
