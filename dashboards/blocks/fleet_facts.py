"""What a fleet change comes to: servers, money, the headline metric."""

from math import isfinite

from dash import html
from dash.development.base_component import Component

from dashboards import humanise
from profiler.records import FleetChange

__all__ = ["fleet_facts"]


def fleet_facts(change: FleetChange) -> Component:
    facts = {}
    if isfinite(change.servers):
        facts["servers, in all"] = f"{change.servers:+.2f}"
        facts["servers, by cost per request"] = f"{change.servers_by_cost:+.2f}"
    if isfinite(change.money_per_year):
        facts["money a year, by cost per request"] = f"{change.money_per_year:+,.0f}"
    if peak := change.peak:
        costs = (humanise.cost(cost, change.unit) for cost in (peak.per_user_a, peak.per_user_b))
        facts["per active user at the peak minute"] = humanise.moved(*costs)
        facts["active users at the peak minute"] = humanise.moved(
            humanise.count(peak.users_a), humanise.count(peak.users_b)
        )
    if change.within:
        facts["mix within endpoints is by"] = change.within
    return html.Dl(
        [html.Div([html.Dt(name), html.Dd(value)]) for name, value in facts.items()],
        className="dy-facts",
    )
