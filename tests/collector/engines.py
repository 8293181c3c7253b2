"""The store of a test module, once over each engine."""

from collections.abc import Iterator
from itertools import count

import pytest

from collector.store import dialect
from collector.store.retention import KEEP_DAYS, days_held, drop_day
from collector.store.store import Store, open_store
from tests.collector.cluster import Cluster

#: Blocks that a cluster's tables remember, so few that tests can go past them.
WINDOW = 10
DATABASES = (f"module_{number}" for number in count())


@pytest.fixture(scope="module", params=["embedded", "server"])
def store(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    """An empty store for one test module: embedded, or a database of Debian's server."""
    yield from opened(request, tmp_path_factory)


def opened(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    """An empty store of the engine that the fixture's parameter names, `cluster` too."""
    if request.param == "cluster":
        one = emptied(request.getfixturevalue("cluster"))
    elif request.param == "server":
        one = open_store(request.getfixturevalue("clickhouse").url(next(DATABASES)))
    else:
        one = open_store(tmp_path_factory.mktemp("store"))
    yield one
    one.close()


def emptied(cluster: Cluster) -> Store:
    """The cluster's store without rows: one database for all tests, as making it takes seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dialect, "REPLICATED_BLOCKS", WINDOW)
        store = open_store(cluster.url("shared"))
    for table, days in days_held(store).items():
        for day in days:
            assert table in KEEP_DAYS
            drop_day(store, table, day)
    return store
