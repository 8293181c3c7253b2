"""A seeded store behind the guarded app with the pages on it; its clock stands still."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from dash import Dash

from collector.answers.sources.places import Places, parse_places
from collector.app import create_app
from collector.store.store import Store
from collector.tokens import Tokens
from dashboards.app import create_dashboards
from tests.dashboards import seeds

TOKENS = Tokens(ingest="i" * 40, read="r" * 40, admin="a" * 40)


@dataclass(frozen=True)
class Pages:
    """The app, a client with a session, and the query that a page would hold."""

    app: Dash
    client: Any

    def query(self, path: str = "/", **query: str) -> dict[str, str]:
        return {"service": seeds.SERVICE, "path": path, "end": "now", **query}


@pytest.fixture(scope="module")
def seeded(store: Store) -> Store:
    seeds.seed(store)
    seeds.seed_slo(store)
    return store


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    """Sources of both releases, a folder each."""
    folder = tmp_path_factory.mktemp("sources")
    seeds.write_sources(folder)
    return parse_places([f"{seeds.SERVICE}={folder}"])


@pytest.fixture(scope="module")
def pages(seeded: Store, places: Places) -> Iterator[Pages]:
    yield open_pages(seeded, places)


def open_pages(store: Store, places: Places | None = None) -> Pages:
    def clock() -> float:
        return seeds.NOW_MS / 1000

    server = create_app(store, TOKENS, clock, places=places)
    app = create_dashboards(store, server, clock=clock, places=places)
    client = server.test_client()
    client.get(f"/?token={TOKENS.read}")
    return Pages(app, client)
