"""A cluster whose servers go and come: batches wait or go on, answers are whole or none."""

import time
from itertools import count

import pytest

from collector.app import create_app
from collector.store import cluster as module
from collector.store.cluster import shard_of
from collector.store.errors import StoreAway, StoreError
from collector.store.extents import Batch
from collector.store.retention import days_held, drop_day, roll_up_day
from collector.store.store import open_store, truncated
from collector.tokens import Tokens
from tests.collector.arrow import stream
from tests.collector.cluster import REPLICAS, SHARDS
from tests.collector.engines import emptied
from tests.collector.rows import SERVICE, START_MS, request_rows

WINDOW = {"service": SERVICE, "from_ms": START_MS, "to_ms": START_MS + 600_000}
WAYS = ("endpoints_raw", "endpoints_minutes", "hosts")
TOKENS = Tokens(ingest="ingest-token-0123456789", read="read-token-0123456789", admin="a" * 30)
ROWS = 100


@pytest.fixture
def store(cluster):
    opened = emptied(cluster)
    yield opened
    opened.close()
    for node in cluster.nodes.values():
        if node.process.poll() is not None:
            node.start()


@pytest.fixture
def batches():
    """Batches for a shard: shard (from 1) -> batch_id, rows."""
    numbers = count()

    def made(shard):
        while True:
            number = next(numbers)
            if shard_of(f"b{number}", len(SHARDS)) == shard - 1:
                return f"b{number}", request_rows(ROWS, number)

    return made


def counts(store):
    return [sum(store.query(name, **WINDOW)["requests"].to_pylist()) for name in WAYS]


def counts_of_replicas(store):
    """Rows of each server's own tables."""
    return [
        [
            server.select(f"SELECT sum({n}) AS n FROM {table}", {})["n"].to_pylist()[0]
            for table, n in (("requests", "1"), ("endpoint_minutes", "n"), ("host_minutes", "n"))
        ]
        for server in store._engine._local.all
    ]


def come_to(expected, look):
    """Replicas fetch from each other when they can."""
    last = time.monotonic() + 120
    while (found := look()) != expected and time.monotonic() < last:
        time.sleep(0.05)
    assert found == expected


def refusal(store, batch):
    """Why a repeat of it is not taken, which it must not be."""
    with pytest.raises(StoreError) as refused:
        store.insert("requests", batch[1], batch[0], attempt=2)
    return str(refused.value)


def stored(store, batch, attempt=2):
    """Send until it is stored."""
    last = time.monotonic() + 120
    while True:
        try:
            return store.insert("requests", batch[1], batch[0], attempt=attempt)
        except StoreError:
            assert time.monotonic() < last
            time.sleep(0.05)


def put(client, batch, attempt="1"):
    batch_id, table = batch
    return client.put(
        f"/v1/batches/{batch_id}?table=requests", data=stream(table),
        headers={"Authorization": f"Bearer {TOKENS.ingest}", "X-Dynoscope-Attempt": attempt},
    )  # fmt: skip


def test_a_batch_goes_whole_to_the_shard_that_its_id_names(store, batches):
    for shard in (1, 2, 2):
        store.insert("requests", batches(shard)[1], batches(shard)[0])
    each = [[1.0 * ROWS] * 3] * len(REPLICAS) + [[2.0 * ROWS] * 3] * len(REPLICAS)
    come_to(each, lambda: counts_of_replicas(store))
    assert counts(store) == [300] * 3


def test_servers_go_and_come(store, cluster, batches):
    client = create_app(store, TOKENS, clock=lambda: START_MS / 1000 + 3600).test_client()
    known, other = batches(1), batches(2)
    # One replica is dead: the other takes all.
    cluster.nodes[1, 2].kill()
    assert [put(client, batch).status_code for batch in (known, other)] == [204, 204]
    assert counts(store) == [200] * 3
    # The whole shard is dead: its batches wait, those of others do not; there are no answers.
    cluster.nodes[1, 1].kill()
    for attempt in ("1", "2"):
        answer = put(client, known, attempt)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
        assert "No server of shard 1 of the cluster four answers" in answer.json["error"]
    assert put(client, batches(2)).status_code == 204
    for name in WAYS:
        with pytest.raises(StoreError, match="no replica of one shard answers, and part of"):
            store.query(name, **WINDOW)
    # Back is the replica that does not know the batch: it is not stored twice, and others are.
    cluster.nodes[1, 2].start()
    stored(store, batches(1), attempt=1)
    with pytest.raises(StoreError, match="on a replica that has not handed it on"):
        store.insert("requests", known[1], known[0])
    # At first the one that ended may still be at it, for all that ZooKeeper knows.
    come_to(True, lambda: "lacks rows that another one has" in refusal(store, known))
    # Back is the other one, too.
    cluster.nodes[1, 1].start()
    stored(store, known)
    come_to([400] * 3, lambda: counts(store))
    each = [[2.0 * ROWS] * 3] * 4
    come_to(each, lambda: counts_of_replicas(store))


def test_who_comes_back_knows_what_it_had_not_fetched_before(store, cluster, batches):
    """While its old session lasts it has no queue in memory, and is not shut."""
    one, other = (cluster.nodes[1, replica] for replica in REPLICAS)
    taker, late = store._engine._shards[0].all
    late.execute("SYSTEM STOP FETCHES")
    known = batches(1)
    taker.insert("requests", store._block("requests", [Batch(*known)]), known[0])
    come_to(True, lambda: late._states(["requests"])[0]["log_pointer"] > 0)
    come_to(1, lambda: lacking(late))
    for node in (one, other):
        node.kill()
    other.start()
    # As soon as it answers, and until it has asked its dead neighbour in vain.
    for _ in range(3):
        with pytest.raises(StoreError, match="lacks rows|has no ZooKeeper"):
            late.settle(["requests"])
    one.start()
    stored(store, known)
    come_to([100] * 3, lambda: counts(store))


def lacking(replica):
    (row,) = replica._states(["requests"])
    return replica._lacks(f"{row['replica_path']}/queue", row["replica_name"])


def test_answers_say_when_rows_are_late(store, batches, monkeypatch):
    stored(store, batches(1))
    assert not truncated(store.query("hosts", **WINDOW))
    monkeypatch.setattr(module, "LATE_S", -1)
    monkeypatch.setattr(module, "LOOK_S", 0.0)
    assert truncated(store.query("hosts", **WINDOW))


def test_a_move_to_hours_that_was_interrupted_is_made_anew(store, batches, monkeypatch):
    for shard in SHARDS:
        stored(store, batches(shard))
    before, day = counts(store), days_held(store)["endpoint_minutes"][0]
    real, done = type(store._engine).execute, count()

    def dies(*words):
        if next(done) == 9:
            raise StoreError("the power is gone")
        real(*words)

    monkeypatch.setattr(type(store._engine), "execute", dies)
    with pytest.raises(StoreError, match="power"):
        roll_up_day(store, day)
    assert counts(store) == before == [200] * 3
    monkeypatch.undo()
    roll_up_day(store, day)
    drop_day(store, "endpoint_minutes", day)
    assert "endpoint_minutes" not in days_held(store)
    come_to(before, lambda: counts(store))


def test_what_is_no_cluster_is_told_in_one_sentence(cluster):
    with pytest.raises(StoreError, match="knows no cluster 'five'"):
        open_store(cluster.url("x").replace("=four", "=five"))
    dead = cluster.url("x").replace("127.0.0.1", "127.0.0.2")
    with pytest.raises(StoreAway, match="No server of the cluster four answers") as told:
        open_store(dead)
    assert "p@ss" not in str(told.value)
    client = cluster.nodes[1, 1].client()
    client.execute("CREATE DATABASE IF NOT EXISTS single")
    client.execute("CREATE TABLE IF NOT EXISTS single.requests (a UInt8) ENGINE = Memory")
    client.disconnect()
    with pytest.raises(StoreError, match="single holds tables of one server alone"):
        open_store(cluster.url("single"))
