from math import nan

from dashboards.blocks.slo_table import slo_table
from dashboards.urls import Query
from tests.dashboards.reading import links, text
from tests.dashboards.records import NOW_MS, slo


def test_a_burning_slo_says_when_its_budget_is_gone():
    day = {"window_s": 30 * 86_400.0, "budget_left": 0.5, "burn_rate": 15.0, "state": "burning"}
    shown = text(slo_table([slo(**day)], Query("shop"), NOW_MS))
    assert "burning" in shown and "over 30 d" in shown
    assert "1 d" in shown.partition("over 30 d")[2]  # half of 30 days, 15 times too fast


def test_a_budget_that_is_gone_and_one_without_data():
    assert "gone" in text(slo_table([slo(budget_left=-0.2, burn_rate=2.0)], Query("shop"), NOW_MS))
    nothing = {"sli": nan, "total": 0, "bad": 0, "budget_left": nan, "burn_rate": nan}
    shown = text(slo_table([slo(state="no data", **nothing)], Query("shop"), NOW_MS))
    assert "no data" in shown and "nan" not in shown


def test_no_slo():
    assert "No SLO was evaluated" in text(slo_table([], Query("shop"), NOW_MS))


def test_the_worst_state_comes_first_and_leads_to_its_endpoint():
    states = [slo(slo=name, state=name) for name in ("ok", "no data", "spent", "burning")]
    table = slo_table(states, Query("shop"), NOW_MS)
    shown = text(table)
    assert sorted(("burning", "spent", "no data"), key=shown.index) == [
        "burning",
        "spent",
        "no data",
    ]
    assert shown.index("no data") < shown.rindex("ok")
    assert len(links(table)) == 4 and links(table)[0].startswith("/endpoint?service=")
