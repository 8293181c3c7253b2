"""These tests run over each engine."""

from collections.abc import Iterator

import pytest

from collector.store.store import Store
from tests.collector.engines import opened


@pytest.fixture(scope="module", params=["embedded", "server", "cluster"])
def store(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    """An empty store for one test module."""
    yield from opened(request, tmp_path_factory)
