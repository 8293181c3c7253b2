"""Replicas, and whole shards, are killed with SIGKILL at random points while batches are sent.

Each batch is sent until it is stored, as an agent does it, in groups with those of other senders,
and every third one once more. With one
replica dead, batches of its shard are still stored; with a shard dead, they wait. Afterwards every
batch counts once, raw and in both roll-ups, on each replica.
"""

import random
import threading
import time
from collections.abc import Callable
from itertools import count

import pytest

from collector.intake import Intake
from collector.meters import Meters
from collector.store.cluster import shard_of
from collector.store.errors import StoreError
from collector.store.extents import Batch
from collector.store.store import Store
from tests.collector.cluster import REPLICAS, SHARDS, Cluster
from tests.collector.engines import emptied
from tests.collector.rows import request_rows
from tests.collector.test_exactly_once import by_batch, counts

BATCH_ROWS = 60
BATCHES = [request_rows(BATCH_ROWS, seed, ring_id=seed) for seed in range(8)]
SENDERS = 8
PATIENCE_S = 240
#: Table -> what of it counts requests.
TABLES = {"requests": "1", "endpoint_minutes": "n", "host_minutes": "n"}


class Sender(threading.Thread):
    """Sends batches of its own until it is told to stop, each until it is stored."""

    def __init__(self, intake: Intake, name: str) -> None:
        super().__init__(daemon=True)
        self.stored: list[str] = []
        self.refused: list[str] = []
        self.stop = threading.Event()
        self._intake, self._prefix = intake, name

    def run(self) -> None:
        for number in count():
            if self.stop.is_set():
                return
            batch_id = f"{self._prefix}-{number}"
            for sending in range(2 if number % 3 == 0 else 1):
                if not self.sent(batch_id, number, attempt=1 + sending):
                    return
            self.stored.append(batch_id)

    def sent(self, batch_id: str, number: int, attempt: int) -> bool:
        last = time.monotonic() + PATIENCE_S
        while time.monotonic() < last:
            try:
                rows = BATCHES[number % len(BATCHES)]
                self._intake.take("requests", Batch(batch_id, rows, attempt > 1))
                return True
            except StoreError as error:
                self.refused.append(str(error))
                attempt += 1
                time.sleep(0.02)
        return False


def campaign(cluster: Cluster, rounds: int, seed: int, *, whole_shards: bool) -> None:
    rng = random.Random(seed)
    store = emptied(cluster)
    intake = Intake(store, Meters(), at_once=4)
    stored: list[str] = []
    try:
        for number in range(rounds):
            shard = rng.choice(SHARDS)
            dead = REPLICAS if whole_shards else (rng.choice(REPLICAS),)
            stored += _round(intake, cluster, f"r{number}", shard, dead, rng)
        expected = dict.fromkeys(stored, BATCH_ROWS)
        _come_to(expected, lambda: by_batch(store))
        _come_to({BATCH_ROWS * len(stored)}, lambda: set(counts(store).values()))
        whole = [[BATCH_ROWS * len(stored)] * len(TABLES)] * len(REPLICAS)
        _come_to(whole, lambda: _sums_of_replicas(store, cluster))
    finally:
        store.close()
        for node in cluster.nodes.values():
            if node.process is not None and node.process.poll() is not None:
                node.start()


def _round(
    intake: Intake,
    cluster: Cluster,
    name: str,
    shard: int,
    dead: tuple[int, ...],
    rng: random.Random,
) -> list[str]:
    """Send until replicas of a shard are killed, and on until they are back. Returns batch ids."""
    senders = [Sender(intake, f"{name}s{at}") for at in range(SENDERS)]
    for sender in senders:
        sender.start()
    _until(lambda: all(sender.stored for sender in senders))
    time.sleep(rng.uniform(0, 0.3))
    for replica in dead:
        cluster.nodes[shard, replica].kill()
    more = []
    if len(dead) < len(REPLICAS):  # the other one goes on
        more = [_one_of(shard, name)]
        assert Sender(intake, "").sent(more[0], 0, attempt=1)
    else:
        _until(lambda: any("No server of shard" in text for s in senders for text in s.refused))
    for replica in dead:
        cluster.nodes[shard, replica].launch()
    for replica in dead:
        cluster.nodes[shard, replica].wait()
    for sender in senders:
        sender.stop.set()
    for sender in senders:
        sender.join(PATIENCE_S + 60)
        assert not sender.is_alive()
    return more + [batch_id for sender in senders for batch_id in sender.stored]


def _one_of(shard: int, name: str) -> str:
    ids = (f"{name}x{number}" for number in count())
    return next(one for one in ids if shard_of(one, len(SHARDS)) == shard - 1)


def _sums_of_replicas(store: Store, cluster: Cluster) -> list[list[float]]:
    """By number of the replica: requests in each table, both shards together."""
    found = [[0.0] * len(TABLES) for _ in REPLICAS]
    for server in store._engine._local.all:
        ports = {cluster.nodes[shard, replica].port: replica for shard, replica in cluster.nodes}
        for at, (table, n) in enumerate(TABLES.items()):
            rows = server.select(f"SELECT sum({n}) AS n FROM {table}", {})
            found[ports[server._address.port] - 1][at] += rows["n"].to_pylist()[0]
    return found


def _until(holds: Callable[[], bool]) -> None:
    last = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < last
        time.sleep(0.005)


def _come_to(expected: object, look: Callable[[], object]) -> None:
    """Replicas fetch from each other when they can."""
    last = time.monotonic() + PATIENCE_S
    while (found := look()) != expected and time.monotonic() < last:
        time.sleep(0.05)
    assert found == expected


def test_batches_count_once_after_replicas_were_killed(cluster):
    campaign(cluster, rounds=3, seed=1, whole_shards=False)


@pytest.mark.long
def test_batches_count_once_after_many_replicas_were_killed(cluster):
    campaign(cluster, rounds=40, seed=2, whole_shards=False)


@pytest.mark.long
def test_batches_count_once_after_shards_were_killed(cluster):
    campaign(cluster, rounds=10, seed=3, whole_shards=True)
