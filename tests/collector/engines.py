"""The store of a test module, once over each engine."""

import time
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from collector.store import dialect
from collector.store.errors import StoreError
from collector.store.replica import Replica
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
    last = time.monotonic() + 60
    while not _dropped(store):  # who leads may be changing, after a test that ended servers
        assert time.monotonic() < last
    for replica in store._engine._local.all:
        if replica.leads("moved_days"):
            replica.execute("ALTER TABLE moved_days DROP PARTITION tuple()")
    while any(_moved(replica) for replica in store._engine._local.all):
        assert time.monotonic() < last
        time.sleep(0.02)
    return store


def _dropped(store: Store) -> bool:
    try:
        for table, days in days_held(store).items():
            for day in days:
                assert table in KEEP_DAYS
                drop_day(store, table, day)
    except StoreError:
        return False
    return True


def _moved(replica: Replica) -> bool:
    return bool(replica.select("SELECT until_ms FROM moved_days", {}).num_rows)


def merge(store: Store, table: str) -> None:
    """Merge all parts of a table, so that each shard has one."""
    dialect = store._engine.dialect
    # 18.16 fails with FINAL where a replicated table has one part already.
    final = "" if dialect.is_replicated else "FINAL"
    for _ in range(100):
        store._engine.execute(f"OPTIMIZE TABLE {table} {final}")
        if max(parts(store, table).values()) == 1:
            return
    raise AssertionError(f"{table} is still in parts: {parts(store, table)}")


def parts(store: Store, table: str) -> Counter[Path]:
    """How many parts a table has, by its folder; one replica of each shard is looked at."""
    question = (
        "SELECT path FROM {parts} WHERE database = {database} AND active AND table = {t:String}"
    )
    found = store._engine.select(store._engine.dialect.filled(question), {"t": table})
    return Counter(Path(path).parent for path in found["path"].to_pylist())
