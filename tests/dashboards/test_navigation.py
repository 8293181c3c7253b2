import pytest
from dash import no_update

from dashboards.blocks import frame
from dashboards.navigation import address_of
from tests.dashboards import seeds
from tests.dashboards.reading import answer, plain

DATA = {"path": "/endpoint", "service": "shop", "endpoint": "GET /", "start": "-1h", "end": "now"}


def chosen(pick, value, was="", data=DATA):
    return address_of({"pick": pick, "was": was}, [{"value": value}], data)


@pytest.mark.parametrize(
    ("pick", "value", "address"),
    [
        ("endpoint", "GET /b", "/endpoint?service=shop&endpoint=GET+%2Fb&from=-1h"),
        ("service", "blog", "/endpoint?service=blog&from=-1h"),
        ("start", "-6h", "/endpoint?service=shop&endpoint=GET+%2F&from=-6h"),
        ("endpoint", "", "/endpoint?service=shop&from=-1h"),
    ],
)
def test_a_choice_becomes_the_address(pick, value, address):
    assert chosen(pick, value, was="before") == address


def test_a_drawn_picker_leads_nowhere():
    assert chosen("endpoint", "GET /", was="GET /") is no_update
    assert chosen("endpoint", None) is no_update
    assert address_of(None, [], DATA) is no_update


def test_a_window_of_ones_own_stays_and_a_range_makes_it_live():
    fixed = DATA | {"start": "2026-01-31T12:00:00Z", "end": "2026-01-31T13:00:00Z"}
    words = "2026-01-31T12:00:00Z to 2026-01-31T13:00:00Z"
    assert chosen("start", words, data=fixed) is no_update
    assert "to=" not in chosen("start", "-5m", was=words, data=fixed)


def test_pickers_offer_what_there_is(pages):
    def offered(part, path, **query):
        values = {frame.QUERY: pages.query(path, **query)}
        picker = plain(answer(pages.app, pages.client, part, **values)[f"{part}.children"])["props"]
        return [one["label"] for one in picker["data"]], picker["value"]

    assert offered(frame.SERVICE, "/") == ([seeds.SERVICE], seeds.SERVICE)
    endpoints, value = offered(frame.ENDPOINT, "/endpoint")
    assert endpoints[0] == value == seeds.FEED
    assert seeds.EVIL_ENDPOINT in endpoints
    endpoints, value = offered(frame.ENDPOINT, "/flame")
    assert (endpoints[0], value) == ("all endpoints", "")
