"""Collector and ClickHouse server are killed with SIGKILL at random points, together or one alone.

Batches are sent and repeated meanwhile. Afterwards every acknowledged batch counts once, raw and in
both roll-ups; the others not at all or once, and repeating all of them changes nothing more.
"""

import random
import time
from pathlib import Path

import pytest

from collector.store.store import open_store
from collector.tokens import load_or_make_tokens
from tests.collector.clickhouse import ClickHouse
from tests.collector.test_exactly_once import (
    BATCH_ROWS,
    SENDERS,
    Sender,
    by_batch,
    collector,
    counts,
    repeat,
)


def campaign(folder: Path, monkeypatch: pytest.MonkeyPatch, rounds: int, seed: int) -> int:
    """Returns how many rounds ended between a table and its views."""
    rng = random.Random(seed)
    server = ClickHouse(folder / "clickhouse")
    server.folder.mkdir()
    server.start()
    token = load_or_make_tokens(folder).ingest
    monkeypatch.setenv("CLICKHOUSE", server.url("cost"))
    sent: dict[str, bytes] = {}
    acknowledged: set[str] = set()
    between = 0
    try:
        for number in range(rounds):
            senders = _round(folder, server, token, f"r{number}", rng)
            for sender in senders:
                assert sender.refused == []
                sent.update(sender.sent)
                acknowledged.update(sender.acknowledged)
            between += _is_short(server)
        store = open_store(server.url("cost"))
        stored = by_batch(store)
        assert set(stored.values()) == {BATCH_ROWS}
        assert acknowledged <= set(stored) <= set(sent)
        with collector(folder) as (_, url):
            repeat(url, token, sent)
        assert by_batch(store) == dict.fromkeys(sent, BATCH_ROWS)
        assert set(counts(store).values()) == {len(sent) * BATCH_ROWS}, counts(store)
        store.close()
    finally:
        server.kill()
    return between


def _round(
    folder: Path, server: ClickHouse, token: str, name: str, rng: random.Random
) -> list[Sender]:
    """Send until something is killed; the server is started again."""
    with collector(folder) as (process, url):
        senders = [Sender(url, token, f"{name}s{at}") for at in range(SENDERS)]
        for sender in senders:
            sender.start()
        while not any(sender.acknowledged for sender in senders):
            assert all(sender.is_alive() for sender in senders)
            time.sleep(0.001)
        time.sleep(rng.uniform(0, 0.4))
        victims = rng.choice((("server",), ("server", "collector"), ("collector",)))
        if "server" in victims:
            server.kill()
        if "collector" not in victims:
            time.sleep(rng.uniform(0, 0.2))  # it has batches for which it has no server
        process.kill()
        for sender in senders:
            sender.join()
    if "server" in victims:
        server.start()
    return senders


def _is_short(server: ClickHouse) -> bool:
    store = open_store(server.url("cost"))
    found = counts(store)
    store.close()
    assert max(found.values()) == found["raw"]
    return min(found.values()) < found["raw"]


def test_acknowledged_batches_count_once_after_kills(tmp_path, monkeypatch):
    campaign(tmp_path, monkeypatch, rounds=3, seed=1)


@pytest.mark.long
def test_acknowledged_batches_count_once_after_many_kills(tmp_path, monkeypatch):
    """So many that some fall between a table and its views."""
    assert campaign(tmp_path, monkeypatch, rounds=40, seed=2) > 0
