"""The app over the module's store, with a clock that stands an hour after `START_MS`."""

from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient

from collector.app import create_app
from collector.tokens import Tokens
from tests.collector.rows import START_MS

NOW_S = START_MS / 1000 + 3600


@dataclass(frozen=True)
class Site:
    app: Flask
    tokens: Tokens

    @property
    def client(self) -> FlaskClient:
        return self.app.test_client()

    def bearer(self, kind: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {getattr(self.tokens, kind)}"}


@pytest.fixture(scope="module")
def site(store):
    tokens = Tokens(ingest="ingest-token-0123456789", read="read-token-0123456789", admin="a" * 30)
    app = create_app(store, tokens, clock=lambda: NOW_S)

    @app.get("/")
    @app.get("/<path:page>")
    def page(page: str = "") -> str:
        return f"page {page}"

    return Site(app, tokens)
