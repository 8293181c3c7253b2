"""Fixtures that several parts use. chDB holds one folder a process: one store at a time."""

from collections.abc import Iterator

import pytest

from collector.store.store import Store, open_store
from tests.collector.clickhouse import ClickHouse
from tests.collector.cluster import Cluster


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """An empty store for one test module (a real, embedded ClickHouse)."""
    opened = open_store(tmp_path_factory.mktemp("store"))
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouse]:
    """One server for all tests that need one; each takes a database of its own."""
    server = ClickHouse(tmp_path_factory.mktemp("clickhouse"))
    try:
        server.start()
        yield server
    finally:
        server.kill()


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """2 shards x 2 replicas for all tests that need them; who ends a server starts it again."""
    servers = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        servers.start()
        yield servers
    finally:
        servers.kill()
