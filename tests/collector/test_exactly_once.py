"""A real collector is killed with SIGKILL at random points while batches are sent and repeated.

Batches are small and go in groups. Afterwards every acknowledged batch counts once, raw and in both
roll-ups; the others not at all or once (they were stored, and the answer was lost), and repeating
all of them, alone and in other groups, changes nothing more.
"""

import random
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from collector.store.store import Store, open_store
from collector.tokens import load_or_make_tokens
from tests.collector import rows
from tests.collector.arrow import stream
from tests.collector.rows import START_MS

BATCH_ROWS = 60
SENDERS = 10
BATCHES = [stream(rows.request_rows(BATCH_ROWS, seed, ring_id=seed)) for seed in range(8)]


@contextmanager
def collector(data_dir: Path, *arguments: str):
    """A serving process and its address; killed at the end. `arguments`: see `serving`."""
    command = [sys.executable, "-m", "tests.collector.serving", str(data_dir), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("ready "), "the collector did not start"
            yield process, f"http://127.0.0.1:{line.split()[1]}"
        finally:
            process.kill()


class Sender(threading.Thread):
    """Sends batches of its own until the collector is gone; every third one twice."""

    def __init__(self, url: str, token: str, name: str) -> None:
        super().__init__()
        self.sent: list[tuple[str, bytes]] = []
        self.acknowledged: list[str] = []
        self.refused: list[str] = []
        self._url, self._token, self._prefix = url, token, name

    def run(self) -> None:
        with httpx.Client(headers={"Authorization": f"Bearer {self._token}"}) as client:
            for number in range(10_000):
                batch_id, body = f"{self._prefix}-{number}", BATCHES[number % len(BATCHES)]
                self.sent.append((batch_id, body))
                try:
                    for _ in range(2 if number % 3 == 0 else 1):
                        answer = put(client, self._url, batch_id, body)
                        if answer.status_code == 204:
                            self.acknowledged.append(batch_id)
                        elif answer.status_code != 503:
                            self.refused.append(answer.text)
                except httpx.HTTPError:
                    return


def put(client: httpx.Client, url: str, batch_id: str, body: bytes) -> httpx.Response:
    return client.put(
        f"{url}/v1/batches/{batch_id}", params={"table": "requests"}, content=body, timeout=30
    )


def counts(store: Store) -> dict[str, float]:
    """Rows by each way of counting."""
    window: dict[str, Any] = {
        "from_ms": START_MS,
        "to_ms": START_MS + 600_000,
        "service": rows.SERVICE,
    }
    ways = {
        "raw": store.query("endpoints_raw", **window)["requests"],
        "endpoint_minutes": store.query("endpoints_minutes", **window)["requests"],
        "host_minutes": store.query("hosts", **window)["requests"],
    }
    return {name: sum(column.to_pylist()) for name, column in ways.items()}


def by_batch(store: Store) -> dict[str, int]:
    found = store._engine.select(
        "SELECT batch_id, count() AS n FROM requests GROUP BY batch_id", {}
    )
    return dict(zip(found["batch_id"].to_pylist(), found["n"].to_pylist(), strict=True))


def campaign(data_dir: Path, rounds: int, seed: int) -> None:
    rng = random.Random(seed)
    token = load_or_make_tokens(data_dir).ingest
    sent: dict[str, bytes] = {}
    acknowledged: set[str] = set()
    for number in range(rounds):
        with collector(data_dir) as (process, url):
            senders = [Sender(url, token, f"r{number}s{at}") for at in range(SENDERS)]
            for sender in senders:
                sender.start()
            while not any(sender.acknowledged for sender in senders):
                assert all(sender.is_alive() for sender in senders)
                time.sleep(0.001)
            if number == 0:
                wait_for_groups(url)
            time.sleep(rng.uniform(0, 0.4))
            process.kill()
            for sender in senders:
                sender.join()
        for sender in senders:
            assert sender.refused == []
            sent.update(sender.sent)
            acknowledged.update(sender.acknowledged)
    store = open_store(data_dir)
    stored = by_batch(store)
    assert set(stored.values()) == {BATCH_ROWS}
    assert acknowledged <= set(stored) <= set(sent)
    known = counts(store)
    assert max(known.values()) == known["raw"], "a view came before its table"
    store.close()
    _repeat_all(data_dir, token, sent)
    store = open_store(data_dir)
    assert by_batch(store) == dict.fromkeys(sent, BATCH_ROWS)
    assert set(counts(store).values()) == {len(sent) * BATCH_ROWS}, counts(store)
    store.close()


def _repeat_all(data_dir: Path, token: str, sent: dict[str, bytes]) -> None:
    with collector(data_dir) as (_, url):
        repeat(url, token, sent)


def repeat(url: str, token: str, sent: dict[str, bytes]) -> None:
    """Send all again, some alone, then the others from many threads, so that new groups form."""
    with (
        httpx.Client(headers={"Authorization": f"Bearer {token}"}) as client,
        ThreadPoolExecutor(SENDERS) as pool,
    ):

        def again(one: tuple[str, bytes]) -> int:
            return put(client, url, *one).status_code

        alone, others = list(sent.items())[:5], list(sent.items())[5:]
        assert {again(one) for one in alone} == {204}
        assert set(pool.map(again, others)) == {204}


def wait_for_groups(url: str) -> None:
    """Until some insert has held more than one batch."""
    last = time.monotonic() + 120
    while not counted(url, "batches") > counted(url, "inserts") > 0:
        assert time.monotonic() < last
        time.sleep(0.01)


def counted(url: str, what: str) -> float:
    name = f'dynoscope_{what}_total{{table="requests"}} '
    lines = httpx.get(f"{url}/metrics", timeout=30).text.splitlines()
    return sum(float(line.removeprefix(name)) for line in lines if line.startswith(name))


def test_acknowledged_batches_count_once_after_kills(tmp_path):
    campaign(tmp_path, rounds=3, seed=1)


@pytest.mark.long
def test_acknowledged_batches_count_once_after_many_kills(tmp_path):
    campaign(tmp_path, rounds=60, seed=2)
