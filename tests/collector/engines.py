"""The store of a test module, once over each engine."""

from collections.abc import Iterator
from itertools import count

import pytest

from collector.store.store import Store, open_store

DATABASES = (f"module_{number}" for number in count())


@pytest.fixture(scope="module", params=["embedded", "server"])
def store(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    """An empty store for one test module: embedded, or a database of Debian's server."""
    if request.param == "embedded":
        opened = open_store(tmp_path_factory.mktemp("store"))
    else:
        opened = open_store(request.getfixturevalue("clickhouse").url(next(DATABASES)))
    yield opened
    opened.close()
