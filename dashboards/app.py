"""The pages, mounted on a Flask server that guards them."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dash
import flask
from dash import ClientsideFunction, Dash, Input, Output, ctx, no_update

from collector.answers.sources.places import Places
from collector.errors import CollectorError
from collector.store.errors import StoreError
from collector.store.store import Store
from dashboards import navigation
from dashboards.blocks import frame
from dashboards.blocks.states import failed, no_data
from dashboards.pages import (
    alerts,
    compare,
    endpoint,
    errors,
    flags,
    flame,
    function,
    hosts,
    metrics,
    overview,
    slos,
)
from dashboards.source import NoData, Source
from dashboards.theme import mantine

__all__ = ["PAGES", "create_dashboards"]

#: In the order of the navigation.
PAGES = (overview, endpoint, flame, function, compare, flags, slos, alerts, errors, hosts, metrics)

HERE = Path(__file__).parent


def create_dashboards(
    store: Store,
    server: flask.Flask,
    *,
    clock: Callable[[], float] = time.time,
    warmup_requests: int = 200,
    warmup_s: int = 120,
    server_cost_per_year: float = 0.0,
    places: Places | None = None,
) -> Dash:
    """Mount the pages at /; `server` keeps its own routes. Call it before the first request."""
    app = Dash(
        __name__,
        server=server,  # type: ignore[arg-type]
        use_pages=True,
        pages_folder="",
        assets_folder=str(HERE / "assets"),
        serve_locally=True,
        suppress_callback_exceptions=True,
        include_pages_meta=False,
        update_title="",
        title="Dynoscope",
        index_string=(HERE / "index.html").read_text(encoding="utf-8"),
        on_error=_sentence,
    )
    source = Source(store, clock, warmup_requests, warmup_s, server_cost_per_year, places)
    for page in PAGES:
        dash.register_page(  # type: ignore[no-untyped-call]
            page.__name__,
            path=page.PATH,
            name=page.TITLE,
            title=f"{page.TITLE} · Dynoscope",
            layout=page.layout,
        )
        page.register(app, source)
    navigation.register(app, source)
    _register_frame(app)
    app.layout = frame.root(dash.page_container, mantine())
    return app


def _register_frame(app: Dash) -> None:
    app.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction("frame", "scheme"),
        Output(frame.SCHEME, "data"),
        Input(frame.QUERY, "data"),
    )
    app.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction("frame", "paused"),
        Output(frame.TICK, "disabled"),
        Input(frame.PAUSE, "checked", allow_optional=True),
        Input(frame.QUERY, "data"),
    )


def _sentence(error: Exception) -> Any:
    """What a part of a page shows in place of its answer."""
    if isinstance(error, NoData):
        told = no_data(str(error))
    elif isinstance(error, CollectorError | StoreError):
        told = failed(str(error))
    else:
        flask.current_app.logger.error("a part of a page failed", exc_info=error)
        told = failed("An unexpected error: the log of the serving process says more.")
    # The first output of a callback is the place for messages.
    others = len(ctx.outputs_list) - 1 if isinstance(ctx.outputs_list, list) else 0
    return [told, *[no_update] * others] if others else told
