from dataclasses import replace

from dashboards.blocks.flag_table import flag_table
from dashboards.urls import Query
from profiler.records import FlagCost, Interval
from tests.dashboards.reading import links, text

COST = FlagCost(
    flag="ranker", value="<b>new", control="off", unit="cpu_ns", requests=4_000,
    control_requests=4_100, users=300, control_users=310, cost=7.2e6, control_cost=6e6,
    difference=Interval(1.2e6, 1.0e6, 1.4e6), relative=Interval(0.2, 0.17, 0.23), p_value=1e-9,
    p_corrected=2e-9, fleet_per_s=4.8e7, rollout_per_s=9.6e7, verdict="regression",
    endpoints=(("GET /feed/", 1.2e6),),
)  # fmt: skip


def test_a_row_says_value_control_cost_and_what_all_would_cost():
    said = text(flag_table([COST], Query("shop")))
    for word in ("ranker=<b>new", "against off", "GET /feed/", "+20%", "6 → 7.2 ms"):
        assert word in said


def test_a_value_leads_to_its_comparison():
    (to,) = links(flag_table([COST], Query("shop")))
    assert to == "/compare?service=shop&a=flag%3Aranker%3Doff&b=flag%3Aranker%3D%3Cb%3Enew"


def test_what_costs_the_fleet_as_good_as_nothing_says_so():
    said = text(flag_table([replace(COST, fleet_per_s=-5e3, users=0)], Query("shop")))
    assert "under 0.001 cores" in said
    assert "4,000, 300" not in said and "4,000" in said


def test_without_flags_it_says_how_to_name_them():
    assert "OpenFeature" in text(flag_table([], Query("shop")))
