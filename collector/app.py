"""The Flask app of the collector: ingest, changes, read API, health. Dash pages mount on it."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pyarrow as pa
from flask import Flask, Response, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from collector.access import guard_pages
from collector.answers.sources.places import Places
from collector.api import read_routes
from collector.batches import LIMITS
from collector.changes import change_routes
from collector.federation import federation_routes
from collector.ingest import ingest_routes
from collector.meters import Meters
from collector.openapi import document
from collector.questions import Question, questions
from collector.store.errors import StoreError
from collector.store.retention import KEEP_DAYS
from collector.store.store import Store
from collector.tokens import Tokens
from collector.wishes import Wishes, wish_routes

__all__ = ["create_app"]

BATCHES = "/v1/batches/"
QUESTIONS_AT_ONCE = 8

#: Dash starts its pages with inline scripts, and plotly makes styles and functions at run time.
CONTENT_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "worker-src 'self' blob:; frame-ancestors 'none'; base-uri 'self'; form-action 'self'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def create_app(
    store: Store,
    tokens: Tokens,
    clock: Callable[[], float] = time.time,
    *,
    batches_at_once: int = 256,
    keep: Mapping[str, int] = KEEP_DAYS,
    otlp: bool = False,
    paths: Mapping[str, Mapping[str, Any]] | None = None,
    warmup_requests: int = 200,
    warmup_s: int = 120,
    server_cost_per_year: float = 0.0,
    places: Places | None = None,
) -> Flask:
    """The app over an open store. Every path but a few needs a token (`access.guard_pages`).

    `keep`: days by table, which `retention.Upkeep` forgets by. `otlp`: take OTLP traces, too.
    `paths`: what /openapi.json says of routes that others mount on the app. `places`: where the
    source of releases is.
    """
    pa.set_memory_pool(pa.system_memory_pool())  # Arrow's own keeps megabytes for every thread
    app = Flask("dynoscope", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LIMITS.body_bytes
    meters = Meters()
    guard_pages(app, tokens, clock)
    app.register_blueprint(ingest_routes(store, tokens, meters, clock, batches_at_once, keep))
    app.register_blueprint(change_routes(store, tokens, clock))
    app.register_blueprint(wish_routes(Wishes(), tokens, clock))
    known = questions(
        warmup_requests=warmup_requests,
        warmup_s=warmup_s,
        keep=keep,
        server_cost_per_year=server_cost_per_year,
        places=places,
    )
    app.register_blueprint(read_routes(store, known, clock))
    app.register_blueprint(federation_routes(store, meters, clock))
    if otlp:
        from collector.otlp import otlp_routes  # protobuf, which few need

        app.register_blueprint(otlp_routes(store, tokens, meters, clock, keep))
    _limit_questions(app)
    _add_health(app, store, meters)
    _add_document(app, known, otlp, paths or {})
    _add_errors(app)

    @app.after_request
    def harden(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    return app


def _limit_questions(app: Flask) -> None:
    """All that is no batch goes a few at a time: the other threads of the server are for batches,
    which wait for each other and take little memory meanwhile."""
    answer, turns = app.wsgi_app, threading.Semaphore(QUESTIONS_AT_ONCE)

    def limited(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"].startswith(BATCHES):
            return answer(environ, start_response)
        with turns:
            return answer(environ, start_response)

    app.wsgi_app = limited  # type: ignore[method-assign]


def _add_health(app: Flask, store: Store, meters: Meters) -> None:
    @app.get("/healthz")
    def healthz() -> ResponseReturnValue:
        return jsonify(status="ok")

    @app.get("/readyz")
    def readyz() -> ResponseReturnValue:
        try:
            store.query("ping")
        except StoreError as error:
            return jsonify(error=str(error)), 503
        return jsonify(status="ready")

    @app.get("/metrics")
    def metrics() -> ResponseReturnValue:
        return Response(meters.text(), mimetype="text/plain; version=0.0.4")


def _add_document(
    app: Flask,
    known: Mapping[str, Question],
    otlp: bool,
    paths: Mapping[str, Mapping[str, Any]],
) -> None:
    @cache
    def made() -> dict[str, Any]:
        whole = document(known, otlp=otlp)
        return {**whole, "paths": {**whole["paths"], **paths}}

    @app.get("/openapi.json")
    def openapi() -> ResponseReturnValue:
        return jsonify(made())


def _add_errors(app: Flask) -> None:
    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> ResponseReturnValue:
        if error.code is None or error.code < 400 or not request.path.startswith("/v1/"):
            return error
        allowed = {name: text for name, text in error.get_headers() if name == "Allow"}
        return jsonify(error=error.description), error.code, allowed
