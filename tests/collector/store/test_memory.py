"""An embedded engine is asked only for what it may have; the others always."""

import pytest

from collector.store.extents import Batch
from collector.store.inserts import Inserts
from collector.store.memory import Memory
from tests.collector.rows import START_MS, metric_rows

HOUR_MS = 3_600_000


def batch(name, start_ms, repeated=False):
    return Batch(name, metric_rows("m", [1.0, 2.0], start_ms=start_ms, step_ms=1_000), repeated)


def asked(memory, *batches):
    return [one.id for one in memory.may_be_there("metrics", list(batches))]


@pytest.fixture
def memory(store):
    """As of a process that has just opened the store, which has rows up to START_MS + 1,000."""
    store.insert("metrics", batch("before", START_MS).rows, "before")
    return Memory(store._engine, size=3)


def test_what_is_not_newer_than_all_that_was_there_is_asked_for(store, memory):
    old = [batch("a", START_MS - HOUR_MS), batch("b", START_MS + 1_000)]
    new = [batch("c", START_MS + 1_001), batch("d", START_MS + HOUR_MS, repeated=True)]
    embedded = store._engine.in_process
    assert asked(memory, *old, *new) == (["a", "b"] if embedded else ["a", "b", "c", "d"])


def test_what_was_there_in_this_process_is_asked_for(store, memory):
    new = [batch(name, START_MS + HOUR_MS) for name in "ab"]
    embedded = store._engine.in_process
    assert asked(memory, *new) == ([] if embedded else ["a", "b"])
    assert asked(memory, *new, batch("c", START_MS + HOUR_MS))[:2] == ["a", "b"]


def test_what_is_forgotten_is_asked_for_and_all_that_is_as_old(store, memory):
    for at in range(5):  # two are forgotten
        asked(memory, batch(f"n{at}", START_MS + HOUR_MS + 10_000 * at))
    again = [batch(f"n{at}", START_MS + HOUR_MS + 10_000 * at) for at in range(5)]
    other = batch("other", START_MS + HOUR_MS + 10_500)
    newer = batch("newer", START_MS + 2 * HOUR_MS)
    found = asked(memory, *again, other, newer)
    assert found[:6] == ["n0", "n1", "n2", "n3", "n4", "other"]
    assert ("newer" in found) != store._engine.in_process


def test_other_tables_are_other_batches(store, memory):
    one = batch("a", START_MS + HOUR_MS)
    asked(memory, one)
    found = memory.may_be_there("limits", [one])
    assert found == ([] if store._engine.in_process else [one])


def test_a_repeat_counts_once_whatever_is_remembered(store, monkeypatch):
    """By one process that forgets, and by another that was not there."""
    sent = [batch(f"kept-{at}", START_MS + 3 * HOUR_MS + 700 * at) for at in range(8)]
    for _ in range(2):
        inserts = Inserts(store._engine, store._block)
        inserts._memory = Memory(store._engine, size=2)
        monkeypatch.setattr(store, "_inserts", inserts)
        for _ in range(2):
            for one in sent:
                assert store.insert_group("metrics", [one]) == {one.id: None}
            assert store.insert_group("metrics", sent) == {one.id: None for one in sent}
    found = store._engine.select(
        "SELECT count() AS n FROM metrics WHERE startsWith(batch_id, 'kept-')", {}
    )
    assert found["n"].to_pylist() == [16]
