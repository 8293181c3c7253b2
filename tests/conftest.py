"""Fixtures that several parts use. chDB holds one folder a process: one store at a time."""

from collections.abc import Iterator

import pytest

from collector.store.store import Store, open_store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """An empty store for one test module (a real, embedded ClickHouse)."""
    opened = open_store(tmp_path_factory.mktemp("store"))
    yield opened
    opened.close()
