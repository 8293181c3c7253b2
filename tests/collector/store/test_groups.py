"""A batch counts once whichever others it goes with, and whatever a kill has left of its group."""

import random
import re
import time
from contextlib import contextmanager

import pytest

from collector.store.extents import Batch, extents
from collector.store.known import name_of_group, waits
from tests.collector.rows import START_MS, metric_rows, request_rows
from tests.collector.store.test_inserts import (
    STEPS,
    VIEWS,
    WAYS,
    counts,
    seen,
    steps,
    sums,
    times,
    wait_until_forgotten,
)

ROLL_UPS = ("endpoint_minutes", "host_minutes")
ALL_VIEWS = (*VIEWS, *STEPS, "service_days_view")
ROWS = 7


@pytest.fixture
def service(request):
    """Each test has one of its own: they share the store."""
    return re.sub(r"\W+", "-", request.node.name).strip("-")


def batches_of(service, n, rows=ROWS):
    return {
        f"{service}-{at}": request_rows(
            rows, 1_000 + at, service=service, killed_share=0.1, start_ms=START_MS + 40 * at
        )
        for at in range(n)
    }


@contextmanager
def without(store, views):
    """A kill comes before these views have their rows."""
    for view in views:
        store._engine.execute(f"DETACH TABLE {view}")
    try:
        yield
    finally:
        for view in views:
            store._engine.execute(f"ATTACH TABLE {view}")


def groups(rng, names):
    """The names at random in groups."""
    left = rng.sample(names, len(names))
    while left:
        size = rng.choice((1, 1, 2, 3, 5, len(left)))
        yield left[:size]
        left = left[size:]


def insert(store, batches, names, repeated):
    wanted = [Batch(name, batches[name], repeated) for name in names]
    assert store.insert_group("requests", wanted) == dict.fromkeys(names)


def campaign(store, service, seed):
    """Groups are stored, lost, or cut short between the table and its views; then all batches are
    repeated, alone and in other groups, with and without a word that they are repeats.
    """
    rng = random.Random(seed)
    batches = batches_of(service, 14)
    for names in groups(rng, list(batches)):
        if rng.random() < 0.3:
            continue  # the kill came first
        lost = [view for view in ALL_VIEWS if rng.random() < 0.5]
        with without(store, lost):
            insert(store, batches, names, repeated=False)
    for _ in range(2):
        some = rng.sample(list(batches), 7)
        for names in groups(rng, some):
            insert(store, batches, names, repeated=rng.random() < 0.5)
    for names in groups(rng, list(batches)):
        insert(store, batches, names, repeated=True)
    assert counts(store, service) == dict.fromkeys(WAYS, ROWS * len(batches))
    assert seen(store, service) == times(list(batches.values()))
    twin = f"{service}-twin"
    same = batches_of(twin, 14)
    for name, rows in same.items():
        store.insert("requests", rows, name)
    for table in ROLL_UPS:
        assert sums(store, service, table) == sums(store, twin, table)
    assert steps(store, service) == steps(store, twin)


@pytest.mark.parametrize("seed", range(3))
def test_any_grouping_of_repeats_after_kills_counts_once(store, service, seed):
    campaign(store, service, seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3, 40))
def test_any_grouping_of_many_repeats_after_kills_counts_once(store, service, seed):
    campaign(store, service, seed)


def test_other_groups_count_once_when_the_engine_has_forgotten_them(store, service):
    """A window of 10 blocks, 100 batches in groups, all repeated in others, two of them alone."""
    if store._engine.dialect.has_tokens:
        for table in ("requests", *ROLL_UPS):
            store._engine.execute(
                f"ALTER TABLE {table} MODIFY SETTING non_replicated_deduplication_window = 10"
            )
    batches = batches_of(service, 100, rows=3)
    names, rng = list(batches), random.Random(1)
    for at in range(0, 100, 4):
        insert(store, batches, names[at : at + 4], repeated=False)
    if store._engine.dialect.is_replicated:
        wait_until_forgotten(store)
    mixed = rng.sample(names, 100)
    for some in (mixed[:1], mixed[1:2], *(mixed[at : at + 14] for at in range(2, 100, 14))):
        insert(store, batches, some, repeated=True)
    assert counts(store, service) == dict.fromkeys(WAYS, 300)


def test_a_group_of_new_ones_and_repeats_stores_the_new_ones(store, service):
    batches = batches_of(service, 6)
    names = list(batches)
    insert(store, batches, names[:3], repeated=False)
    for repeated in (False, True):
        insert(store, batches, names[1:5], repeated)
    insert(store, batches, names[::-1], repeated=False)
    assert counts(store, service) == dict.fromkeys(WAYS, 6 * ROWS)


def test_groups_of_other_tables_count_once(store, service):
    batches = {f"{service}-{at}": metric_rows(service, [float(at)] * 3) for at in range(9)}
    rng = random.Random(2)
    for _ in range(3):
        for names in groups(rng, list(batches)):
            wanted = [Batch(name, batches[name], rng.random() < 0.5) for name in names]
            assert store.insert_group("metrics", wanted) == dict.fromkeys(names)
    found = store._engine.select(
        "SELECT count() AS n, uniqExact(batch_id) AS ids FROM metrics WHERE name = {s:String}",
        {"s": service},
    )
    assert found.to_pylist() == [{"n": 27, "ids": 9}]


def test_batches_of_two_days_and_bad_ids_in_one_call(store, service):
    """Each group is one day; what is wrong with one is said of it alone."""
    day_ms = 86_400_000
    batches = [
        Batch(f"{service}-0", metric_rows(service, [1.0])),
        Batch(f"{service}-1", metric_rows(service, [1.0], start_ms=START_MS + day_ms)),
        Batch("not an id", metric_rows(service, [1.0])),
        Batch(f"{service}-2", metric_rows(service, [1.0, 2.0], step_ms=day_ms)),
        Batch(f"{service}-3", metric_rows(service, [])),
    ]
    outcomes = store.insert_group("metrics", batches)
    assert [str(outcomes[one.id] or "") for one in batches] == [
        "",
        "",
        "The batch id 'not an id' is not 1 to 128 of 0-9 A-Z a-z _ . -",
        "A batch must lie within one UTC day: cut it at midnight.",
        "",
    ]


@pytest.mark.parametrize("name", ["lone", name_of_group(["a", "b"])], ids=["alone", "group"])
def test_batches_that_are_under_way_wait(store, name):
    """The statement's id says which batches it holds; an embedded engine has none that outlives
    the call that sent it."""
    engine = store._engine.holder("a")
    asked, held = ["a", "b", "c", "lone"], {"lone"} if name == "lone" else {"a", "b"}
    if engine.in_process:
        assert waits(engine, "metrics", asked, everywhere=True) == set()
        return
    with running(engine, f"metrics {name}"):
        assert waits(engine, "metrics", asked, everywhere=False) == held
        assert waits(engine, "metrics", asked, everywhere=True) == held
        assert waits(engine, "requests", asked, everywhere=True) == set()
        batch = Batch(min(held), metric_rows("under_way", [1.0]), may_be_stored=True)
        assert "still being stored" in str(store.insert_group("metrics", [batch])[batch.id])
    if engine.dialect.is_replicated:
        with running(engine.others[0], f"metrics {name}"):
            assert waits(engine, "metrics", asked, everywhere=False) == set()
            assert waits(engine, "metrics", asked, everywhere=True) == held
    assert waits(engine, "metrics", asked, everywhere=True) == set()
    assert store.insert_group("metrics", [batch]) == {batch.id: None}


@contextmanager
def running(engine, query_id):
    """A statement of that id, which runs as long as the body does."""
    client = engine._client(engine._address.database)
    progress = client.execute_iter(
        "SELECT sleep(0.1) FROM system.numbers LIMIT 2000",
        query_id=query_id,
        settings={"max_block_size": 1},
    )
    next(iter(progress))
    try:
        yield
    finally:
        client.disconnect()
        question = "SELECT 1 AS one FROM system.processes WHERE query_id = {id:String}"
        last = time.monotonic() + 120
        while engine.select(question, {"id": query_id}).num_rows:
            assert time.monotonic() < last
            time.sleep(0.02)


def test_what_lies_far_apart_is_looked_for_apart():
    def at(name, start_ms):
        return Batch(name, metric_rows("m", [1.0, 2.0], start_ms=start_ms, service=name))

    hour_ms = 3_600_000
    found = extents([at("c", START_MS + hour_ms), at("b", START_MS + 9_000), at("a", START_MS)])
    assert [one.ids for one in found] == [("a", "b"), ("c",)]
    assert (found[0].from_ms, found[0].to_ms) == (START_MS, START_MS + 14_000)
    assert (found[0].first_service, found[0].last_service) == ("a", "b")
