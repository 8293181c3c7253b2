"""A repeat counts once, and mends what a crash between a table and its views has left out."""

import threading
import time

import pytest

from collector.store.errors import StoreError
from tests.collector import rows
from tests.collector.cluster import SHARDS
from tests.collector.engines import WINDOW, merge, parts
from tests.collector.rows import START_MS, request_rows

WAYS = {"raw": "endpoints_raw", "endpoint_minutes": "endpoints_minutes", "host_minutes": "hosts"}
VIEWS = ("endpoint_minutes_view", "host_minutes_view")
#: What a view of endpoint_minutes fills, which answers in its place.
STEPS = ("endpoint_steps_view",)


@pytest.fixture
def service(request):
    """Each test has one of its own: they share the store."""
    return request.node.originalname


def window(service):
    return {"service": service, "from_ms": START_MS, "to_ms": START_MS + 600_000}


def counts(store, service):
    return {
        way: sum(store.query(name, **window(service))["requests"].to_pylist())
        for way, name in WAYS.items()
    }


def sums(store, service, table):
    """Everything that a roll-up knows of a service, by its key."""
    found = store._engine.select(
        f"SELECT minute_ms, release, cost_unit, sum(n) AS n, sum(errors) AS errors, "
        "sum(killed) AS killed, sum(crashed) AS crashed, sum(disconnected) AS disconnected, "
        "sum(throttled) AS throttled, sum(cost_sum) AS cost, sum(task_clock_sum) AS cpu, "
        "sum(wall_sum) AS wall, sum(db_ns_sum) AS db, sum(db_calls_sum) AS db_calls, "
        "sum(cache_ns_sum) AS cache, sum(cache_calls_sum) AS cache_calls, sum(rpc_ns_sum) AS rpc, "
        "sum(rpc_calls_sum) AS rpc_calls, sum(gc_ns_sum) AS gc, "
        "round(sum(cost_sq) / 1e6) AS cost_sq, round(sum(task_clock_sq) / 1e6) AS cpu_sq, "
        "round(sum(wall_sq) / 1e8) AS wall_sq, "
        "sumMap(`wallMap.bucket`, `wallMap.n`).2 AS walls, "
        "sumMap(`costMap.bucket`, `costMap.n`).2 AS costs, "
        "uniqIfMerge(users) AS user_count, uniqMerge(rings) AS ring_count, "
        "minMerge(first_ms) AS first, maxMerge(last_ms) AS last "
        f"FROM {table} WHERE service = {{service:String}} "
        "GROUP BY minute_ms, release, cost_unit ORDER BY minute_ms, release, cost_unit",
        {"service": service},
    )
    return found.to_pylist()


def steps(store, service):
    """What endpoint_steps knows of a service, by its key."""
    found = store._engine.select(
        "SELECT step_ms, of_all, start_ms, toString(endpoint) AS name, sum(n) AS n, "
        "sum(errors) AS errors, sum(killed) AS killed, sum(crashed) AS crashed, "
        "sum(disconnected) AS disconnected, sum(throttled) AS throttled, sum(cost_sum) AS cost, "
        "sum(task_clock_sum) AS cpu, sum(wall_sum) AS wall, sum(db_ns_sum) AS db, "
        "sum(cache_ns_sum) AS cache, sum(rpc_ns_sum) AS rpc, "
        "sumMap(`wallMap.bucket`, `wallMap.n`).2 AS walls, maxMerge(last_ms) AS last "
        "FROM endpoint_steps WHERE service = {service:String} "
        "GROUP BY step_ms, of_all, start_ms, name ORDER BY step_ms, of_all, start_ms, name",
        {"service": service},
    )
    return found.to_pylist()


@pytest.mark.parametrize(
    "lost", [VIEWS[:1], VIEWS[1:], VIEWS, STEPS], ids=["first", "second", "both", "steps"]
)
def test_a_repeat_mends_the_roll_ups(store, service, lost):
    service = f"{service}-{len(lost)}{lost[0]}"
    batch = request_rows(700, 5, service=service, killed_share=0.02)
    other = request_rows(400, 6, service=service)
    twin = f"{service}-twin"
    store.insert("requests", other, f"{service}-0")
    for view in lost:
        store._engine.execute(f"DETACH TABLE {view}")
    try:
        store.insert("requests", batch, f"{service}-1")
    finally:
        for view in lost:
            store._engine.execute(f"ATTACH TABLE {view}")
    short = {"endpoint_minutes" if lost == STEPS else view.removesuffix("_view") for view in lost}
    assert counts(store, service) == {way: 400 if way in short else 1_100 for way in WAYS}
    for _ in range(3):
        store.insert("requests", batch, f"{service}-1", attempt=2)
        assert counts(store, service) == dict.fromkeys(WAYS, 1_100)
    for seed, n in ((5, 700), (6, 400)):
        share = {"killed_share": 0.02} if seed == 5 else {}
        store.insert("requests", request_rows(n, seed, service=twin, **share), f"{twin}-{seed}")
    for table in ("endpoint_minutes", "host_minutes"):
        assert sums(store, service, table) == sums(store, twin, table)
    assert steps(store, service) == steps(store, twin)
    assert {row["step_ms"] for row in steps(store, service)} == {
        60_000, 300_000, 3_600_000, 86_400_000
    }  # fmt: skip


def test_a_repeat_mends_who_sent_when(store, service):
    """First and last time of each release and host, where a batch was lost between others."""
    batches = [
        request_rows(50, at, service=service, release=f"r{at // 2}", start_ms=START_MS + at * 1_000)
        for at in range(4)
    ]
    store.insert("requests", batches[1], f"{service}-1")
    store._engine.execute("DETACH TABLE service_days_view")
    try:
        for at in (0, 2, 3):
            store.insert("requests", batches[at], f"{service}-{at}")
    finally:
        store._engine.execute("ATTACH TABLE service_days_view")
    assert seen(store, service) == times(batches[1:2])
    for at in (0, 1, 2, 3):
        store.insert("requests", batches[at], f"{service}-{at}", attempt=2)
        store.insert("requests", batches[at], f"{service}-{at}", attempt=3)
    assert seen(store, service) == times(batches)
    assert counts(store, service) == dict.fromkeys(WAYS, 200)


def seen(store, service):
    """Release, host -> first, last."""
    found = store._engine.select(
        "SELECT toString(release) AS r, toString(host) AS h, minMerge(first_ms) AS first, "
        "maxMerge(last_ms) AS last FROM service_days WHERE service = {s:String} GROUP BY r, h",
        {"s": service},
    )
    return {(row["r"], row["h"]): (row["first"], row["last"]) for row in found.to_pylist()}


def times(batches):
    found = {}
    for row in (row for batch in batches for row in batch.to_pylist()):
        key, at = (row["release"], row["host"]), row["ts_ms"]
        first, last = found.get(key, (at, at))
        found[key] = (min(first, at), max(last, at))
    return found


def test_a_whole_roll_up_is_left_as_it_is(store, service):
    batch = request_rows(500, 1, service=service)
    store.insert("requests", batch, service)
    tables = ("endpoint_minutes", "host_minutes")
    before = [sums(store, service, table) for table in tables]
    for table in tables:
        merge(store, table)
    held = [parts(store, table) for table in tables]
    store.insert("requests", batch, service, attempt=2)
    assert [parts(store, table) for table in tables] == held
    assert [sums(store, service, table) for table in tables] == before


@pytest.mark.parametrize("table", ["stack_samples", "metrics", "limits"])
def test_repeats_of_other_tables_count_once(store, table):
    given = {
        "stack_samples": rows.sample_rows(40, 1, service="again"),
        "metrics": rows.metric_rows("again", [1.0, 2.0]),
        "limits": rows.limit_rows("again", 3),
    }[table]
    for attempt in (1, 2, 3):
        store.insert(table, given, f"again-{table}", attempt=attempt)
    count = f"SELECT count() AS n FROM {table} WHERE batch_id = {{b:String}}"
    found = store._engine.select(count, {"b": f"again-{table}"})
    assert found["n"].to_pylist() == [given.num_rows]


def test_the_same_rows_under_another_id_are_another_batch(store, service):
    batch = request_rows(100, 1, service=service)
    for name in ("a", "b"):
        store.insert("requests", batch, f"{service}-{name}", attempt=2)
    assert counts(store, service) == dict.fromkeys(WAYS, 200)


def test_one_batch_from_many_threads_at_once_counts_once(store, service):
    """Repeats and other batches of the same minutes lie between; nobody waits for ever."""
    batches = {f"{service}-{seed}": request_rows(200, seed, service=service) for seed in range(4)}
    failed = []

    def send(batch_id, attempt):
        try:
            store.insert("requests", batches[batch_id], batch_id, attempt=attempt)
        except StoreError as error:
            failed.append(error)

    threads = [
        threading.Thread(target=send, args=(batch_id, 1 + number % 2))
        for number in range(5)
        for batch_id in batches
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not any(thread.is_alive() for thread in threads)
    assert failed == []
    assert counts(store, service) == dict.fromkeys(WAYS, 800)


def test_repeats_count_once_when_the_engine_has_forgotten_them(store, service):
    """A window of 10 blocks, 100 batches, all of them repeated."""
    tables = ("requests", "endpoint_minutes", "host_minutes")
    if store._engine.dialect.has_tokens:
        for table in tables:
            store._engine.execute(
                f"ALTER TABLE {table} MODIFY SETTING non_replicated_deduplication_window = 10"
            )
    batches = [request_rows(5, seed, service=service, span_ms=1) for seed in range(100)]
    for attempt in (1, 2):
        for number, batch in enumerate(batches):
            store.insert("requests", batch, f"{service}-{number}", attempt=attempt)
        if store._engine.dialect.is_replicated and attempt == 1:
            wait_until_forgotten(store)
        assert counts(store, service) == dict.fromkeys(WAYS, 500)


def wait_until_forgotten(store):
    """Until the cluster remembers as few blocks as it was told to."""
    blocks = "SELECT count() AS n FROM system.zookeeper WHERE path = {p:String}"
    paths = [f"/clickhouse/dynoscope/shared/{shard}/requests/blocks" for shard in SHARDS]
    last = time.monotonic() + 120
    while (
        max(store._engine.select(blocks, {"p": path})["n"].to_pylist()[0] for path in paths)
        > WINDOW
    ):
        assert time.monotonic() < last
        time.sleep(0.1)


def test_no_roll_up_is_mended_while_an_insert_is_between_table_and_views(
    store, service, monkeypatch
):
    """Its rows would be counted as lacking, and then come from the view as well."""
    stored = request_rows(50, 1, service=service)
    store.insert("requests", stored, f"{service}-1")
    inserting, totals_asked = threading.Event(), threading.Event()
    engine = type(store._engine.holder(""))
    insert, select = engine.insert, engine.select

    def slow_insert(self, table, batch, token):
        inserting.set()
        within = totals_asked.wait(1)
        insert(self, table, batch, token)
        assert not within

    def watched_select(self, statement, parameters):
        if "in_raw" in statement:
            totals_asked.set()
        return select(self, statement, parameters)

    monkeypatch.setattr(engine, "insert", slow_insert)
    monkeypatch.setattr(engine, "select", watched_select)
    failed = []

    def send():
        try:
            store.insert("requests", request_rows(50, 2, service=service), f"{service}-2")
        except AssertionError as error:
            failed.append(error)

    sender = threading.Thread(target=send)
    sender.start()
    assert inserting.wait(60)
    store.insert("requests", stored, f"{service}-1", attempt=2)
    sender.join()
    assert totals_asked.is_set()
    assert failed == []
    assert counts(store, service) == dict.fromkeys(WAYS, 100)
