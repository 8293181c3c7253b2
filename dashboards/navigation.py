"""The pickers: filled from the store, their choices written into the address."""

from typing import Any

from dash import ALL, Dash, Input, Output, State, ctx, no_update
from dash.development.base_component import Component

from collector.answers.endpoints import endpoints
from dashboards.blocks import frame
from dashboards.source import Source, ask
from dashboards.urls import RANGES, href, parse_query

#: Pages that show all endpoints where none is chosen; the others show the dearest.
OF_ALL_ENDPOINTS = ("/flame", "/function", "/compare")

__all__ = ["register"]

#: What no longer holds when another service is chosen.
OF_A_SERVICE = ("endpoint", "release", "a", "b", "function", "was", "view", "metric")


def register(app: Dash, source: Source) -> None:
    @app.callback(Output(frame.SERVICE, "children"), Input(frame.QUERY, "data"))
    def show_services(data: dict[str, Any]) -> Component:
        question = ask(source, data, "-1h")
        names = [row.service for row in question.services]
        return frame.picker("service", "Service", question.service.service, names, 170)

    @app.callback(Output(frame.ENDPOINT, "children"), Input(frame.QUERY, "data"))
    def show_endpoints(data: dict[str, Any]) -> Component:
        question = ask(source, data, "-24h")
        answer = endpoints(source.store, question.window, question.service.service)
        names = list(dict.fromkeys(row.endpoint for row in answer.data))
        everything = "all endpoints" if data["path"] in OF_ALL_ENDPOINTS else ""
        chosen = question.query.endpoint or ("" if everything else next(iter(names), ""))
        return frame.picker("endpoint", "Endpoint", chosen, names, 320, everything=everything)

    @app.callback(
        Output(frame.GO, "href"),
        Input({"pick": ALL, "was": ALL}, "value"),
        State(frame.QUERY, "data"),
        prevent_initial_call=True,
    )
    def go(_: list[str], data: dict[str, Any]) -> Any:
        return address_of(ctx.triggered_id, ctx.triggered, data)


def address_of(picked: Any, triggered: list[dict[str, Any]], data: dict[str, Any]) -> Any:
    """The address after a choice; no_update where a picker was only drawn."""
    value = triggered[0]["value"] if triggered else None
    if not picked or value is None or value == picked["was"]:
        return no_update
    changes = {picked["pick"]: value}
    if picked["pick"] == "service":
        changes |= dict.fromkeys(OF_A_SERVICE, "")
    if picked["pick"] == "start":
        if value not in RANGES:
            return no_update
        changes["end"] = "now"
    return href(str(data["path"]), parse_query(data), **changes)
