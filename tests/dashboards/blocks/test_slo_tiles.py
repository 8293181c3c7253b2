from math import nan

from dashboards.blocks.slo_tiles import slo_tiles
from tests.dashboards.reading import plain, text
from tests.dashboards.records import slo


def test_a_tile_says_objective_sli_budget_and_burn():
    shown = text(slo_tiles([slo()]))
    for part in (
        "feed-latency",
        "ok",
        "99.87%",
        "within 500 ms",
        "objective 99% over 30 d",
        "budget left 87%",
        "burns at 0.13×",
        "41 bad of 31,800",
    ):
        assert part in shown


def test_without_data_nothing_is_claimed():
    tile = slo(state="no data", total=0, sli=nan, budget_left=nan, burn_rate=nan, endpoint="")
    shown = text(slo_tiles([tile]))
    assert "no data" in shown
    assert "no requests now" in shown
    assert "all endpoints" in shown
    assert "100%" not in shown


def test_an_overspent_budget_is_negative_and_its_bar_empty():
    tiles = slo_tiles([slo(state="burning", budget_left=-1.5), slo(budget_left=0.2)])
    assert "budget left −150%" in text(tiles)
    bars = [part["props"] for part in _parts(plain(tiles)) if part["type"] == "Progress"]
    assert [(bar["value"], bar["color"]) for bar in bars] == [(0.0, "red"), (20.0, "yellow")]


def test_no_slo_says_where_rules_are():
    assert "--rules" in text(slo_tiles([]))


def _parts(node):
    if isinstance(node, list):
        for item in node:
            yield from _parts(item)
    elif isinstance(node, dict) and "props" in node:
        yield node
        yield from _parts(node["props"].get("children"))
