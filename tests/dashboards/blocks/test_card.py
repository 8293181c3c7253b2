from dash import html

from dashboards.blocks.card import aria, card
from tests.dashboards.reading import plain


def test_what_is_nothing_is_left_out():
    assert len(plain(card([html.Div("a"), None]))["props"]["children"]) == 1


def test_attributes_for_those_who_do_not_see():
    assert aria(label="Pages", hidden="true") == {"aria-label": "Pages", "aria-hidden": "true"}
