from urllib.parse import parse_qs, urlsplit

import pytest

from dashboards.urls import Query, href, parse_query


def test_an_address_round_trips():
    query = Query("shop", "GET /a/<id>/", "r2", "release:r1", "release:r2", "-6h", "2026-01-31")
    given = {k: v[0] for k, v in parse_qs(urlsplit(href("/compare", query)).query).items()}
    assert given["from"] == "-6h"
    assert parse_query(given) == query


def test_defaults_are_left_out():
    assert href("/", Query()) == "/"
    assert href("/endpoint", Query("shop"), endpoint="GET /") == (
        "/endpoint?service=shop&endpoint=GET+%2F"
    )


def test_what_is_not_ours_is_ignored_and_long_values_are_cut():
    assert parse_query({"colour": "red", "service": 7, "endpoint": "", "from": "-5m"}) == Query(
        start="-5m"
    )
    assert len(parse_query({"service": "x" * 5000}).service) == 300


@pytest.mark.parametrize(("end", "live"), [("now", True), ("2026-01-31T12:00:00Z", False)])
def test_a_window_up_to_now_is_live(end, live):
    assert Query(end=end).is_live is live
