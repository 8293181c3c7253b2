"""Batches that go together are each taken or refused for themselves, and none harms the others."""

import random
import threading
from contextlib import contextmanager

from collector.errors import Refused
from collector.intake import Intake
from collector.meters import Meters
from collector.store.errors import StoreError
from collector.store.extents import Batch
from collector.store.inserts import GIVE_UP
from collector.store.store import Store
from tests.collector.arrow import with_column
from tests.collector.rows import metric_rows

PATIENCE_S = 60


def batch(name, value=1.0, rows=3):
    return Batch(name, metric_rows("m", [value] * rows), may_be_stored=False)


def stored(store, ids):
    found = store._engine.select(
        "SELECT batch_id, count() AS n FROM metrics WHERE has({ids:Array(String)}, batch_id) "
        "GROUP BY batch_id",
        {"ids": list(ids)},
    )
    return dict(zip(found["batch_id"].to_pylist(), found["n"].to_pylist(), strict=True))


@contextmanager
def together(store, monkeypatch):
    """Batches that are taken in the body go as one group; yields what takes one, and outcomes.

    The first insert stands still until all wait behind it.
    """
    intake, begun, go_on = Intake(store, Meters(), 1), threading.Event(), threading.Event()
    real, threads = Store.insert_group, []
    outcomes: dict[str, str | Refused | StoreError] = {}

    def held(self, table, batches):
        begun.set()
        assert go_on.wait(PATIENCE_S)
        return real(self, table, batches)

    def take(one):
        def run():
            try:
                intake.take("metrics", one)
                outcomes[one.id] = "stored"
            except (Refused, StoreError) as error:
                outcomes[one.id] = error

        threads.append(threading.Thread(target=run, daemon=True))
        threads[-1].start()

    with monkeypatch.context() as patch:
        patch.setattr(Store, "insert_group", held)
        take(batch(f"first-{random.random()}"))
        assert begun.wait(PATIENCE_S)
        yield take, outcomes
        (lane,) = intake._groups._lanes.values()
        while len(lane.waiting) < len(threads) - 1:
            threads[0].join(0.001)
        go_on.set()
        for thread in threads:
            thread.join(PATIENCE_S)
            assert not thread.is_alive()


def test_a_group_is_one_part_and_each_batch_keeps_its_id(store, monkeypatch):
    sizes = {f"one-part-{size}": size for size in (1, 2, 30)}
    with together(store, monkeypatch) as (take, outcomes):
        for name, size in sizes.items():
            take(batch(name, rows=size))
    assert stored(store, sizes) == sizes
    assert all(outcomes[name] == "stored" for name in sizes)
    held = store._engine.select(
        "SELECT DISTINCT _part AS part FROM metrics WHERE startsWith(batch_id, 'one-part-')", {}
    )
    assert held.num_rows == 1


def test_one_with_a_bad_value_is_refused_alone_with_its_reason(store, monkeypatch):
    nulls = with_column(metric_rows("m", [1.0]), "name", [None], "string")
    with together(store, monkeypatch) as (take, outcomes):
        take(batch("bad-0"))
        take(batch("bad-1", value=float("nan")))
        take(Batch("bad-2", nulls))
        take(batch("bad-3"))
    assert [outcomes[f"bad-{at}"] for at in (0, 3)] == ["stored"] * 2
    assert isinstance(outcomes["bad-1"], Refused)
    assert "Column 'value' has a NaN or an infinity." in str(outcomes["bad-1"])
    assert "Column 'name' has 1 nulls: send none." in str(outcomes["bad-2"])
    assert stored(store, [f"bad-{at}" for at in range(4)]) == {"bad-0": 3, "bad-3": 3}


def test_one_that_the_engine_does_not_take_harms_no_other(store, monkeypatch):
    engine = type(store._engine)
    real = engine.insert

    def picky(self, table, rows, token):
        if 13.0 in rows["value"].to_pylist():
            raise StoreError("The store refused a batch: 13")
        real(self, table, rows, token)

    monkeypatch.setattr(engine, "insert", picky)
    with together(store, monkeypatch) as (take, outcomes):
        for at in range(9):
            take(batch(f"picky-{at}", value=13.0 if at in (2, 3, 7) else 1.0))
    refused = {name for name, outcome in outcomes.items() if isinstance(outcome, StoreError)}
    assert refused == {"picky-2", "picky-3", "picky-7"}
    assert all("13" in str(outcomes[name]) for name in refused)
    assert set(stored(store, outcomes)) == set(outcomes) - refused


def test_an_engine_that_takes_nothing_is_not_asked_for_ever(store, monkeypatch):
    tried = []

    def broken(self, table, rows, token):
        tried.append(token)
        raise StoreError("The store failed: no space left on device")

    with together(store, monkeypatch) as (take, outcomes):
        monkeypatch.setattr(type(store._engine), "insert", broken)
        for at in range(20):
            take(batch(f"full-{at}"))
    assert len(outcomes) == 21
    assert all("no space left" in str(outcomes[f"full-{at}"]) for at in range(20))
    assert len(tried) == 1 + 1 + GIVE_UP  # the first alone, the group, some of it alone
