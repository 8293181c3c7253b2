"""One server over the native protocol: limits, and a server that goes and comes."""

import threading
import time

import pytest

from collector.store.address import parse_address
from collector.store.engine import QueryLimits
from collector.store.errors import QueryStopped, StoreError
from collector.store.server import Server
from collector.store.store import open_store
from collector.store.texts import query_text
from tests.collector.clickhouse import PASSWORD, ClickHouse, free_port
from tests.collector.rows import SERVICE, START_MS, request_rows

WINDOW = {"service": SERVICE, "from_ms": START_MS, "to_ms": START_MS + 600_000}
LIMITS = QueryLimits(seconds=2.0, rows=1_000, memory_bytes=100_000_000)


@pytest.fixture(scope="module")
def engine(clickhouse):
    address = parse_address(clickhouse.url("server_tests"))
    opened = Server(address, LIMITS, query_text("engine_settings"))
    yield opened
    opened.close()


def test_a_result_past_the_row_limit_is_cut_and_marked(engine):
    long = engine.select("SELECT number FROM system.numbers LIMIT 200000", {})
    exact = engine.select("SELECT number FROM system.numbers LIMIT 1000", {})
    assert (long.num_rows, exact.num_rows) == (1_000, 1_000)
    assert long.schema.metadata == {b"truncated": b"1"}
    assert exact.schema.metadata is None


def test_an_empty_result_has_its_columns(engine):
    assert engine.select("SELECT 1 AS a WHERE 0", {}).column_names == ["a"]


def test_a_long_query_is_stopped_with_one_sentence(engine):
    endless = "SELECT count() FROM system.numbers WHERE cityHash64(number) % 7 = 8"
    with pytest.raises(QueryStopped, match="shorter window"):
        engine.select(endless, {})


def test_a_greedy_query_is_stopped(engine):
    greedy = "SELECT uniqExact(number) FROM (SELECT number FROM system.numbers LIMIT 100000000)"
    with pytest.raises(QueryStopped, match="100 MB"):
        engine.select(greedy, {})


def test_a_connection_works_again_after_an_error(engine):
    for _ in range(10):
        with pytest.raises(StoreError, match="The store failed"):
            engine.select("SELECT nonsense FROM nowhere", {})
    assert engine.select("SELECT 1 AS a", {}).to_pydict() == {"a": [1]}


def test_many_threads_ask_at_once(engine):
    found = []

    def ask(number: int) -> None:
        for _ in range(20):
            found.append(engine.select("SELECT {n:UInt64} AS n", {"n": number})["n"][0].as_py())

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == sorted(list(range(12)) * 20)


def test_no_server_and_a_wrong_password_are_one_sentence(clickhouse, caplog):
    port = free_port()
    with pytest.raises(StoreError, match=f"server 127.0.0.1:{port}/x does not answer") as told:
        open_store(f"clickhouse://tester:secret@127.0.0.1:{port}/x")
    assert "secret" not in str(told.value)
    with pytest.raises(StoreError, match="The store does not open: .*password") as told:
        open_store(clickhouse.url("x").replace("tester:p%40ss", "tester:swordfish"))
    assert "swordfish" not in str(told.value)
    assert caplog.records == []


def test_a_user_who_may_make_no_database_uses_the_one_he_was_given(clickhouse):
    with pytest.raises(StoreError, match="The store does not open: .*guest"):
        open_store(clickhouse.url("other", "guest"))
    client = clickhouse.client()
    client.execute("CREATE DATABASE given")
    client.disconnect()
    store = open_store(clickhouse.url("given", "guest"))
    store.insert("requests", request_rows(100, 1), "b1")
    assert sum(store.query("endpoints_minutes", **WINDOW)["requests"].to_pylist()) == 100
    store.close()


def test_a_store_goes_on_when_its_server_comes_back(tmp_path):
    server = ClickHouse(tmp_path)
    server.start()
    try:
        store = open_store(server.url("cost"))
        assert PASSWORD not in repr(vars(store._engine))
        store.insert("requests", request_rows(100, 1), "b1")
        server.kill()
        for ask in (
            lambda: store.query("endpoints_raw", **WINDOW),
            lambda: store.insert("requests", request_rows(50, 2), "b2"),
        ):
            with pytest.raises(StoreError, match="does not answer"):
                ask()
        server.start()
        store.insert("requests", request_rows(50, 2), "b2", attempt=2)
        for name in ("endpoints_raw", "endpoints_minutes", "hosts"):
            assert sum(store.query(name, **WINDOW)["requests"].to_pylist()) == 150, name
        store.close()
        again = open_store(server.url("cost"))
        assert again._hosts._numbers == store._hosts._numbers
        again.close()
    finally:
        server.kill()


def test_a_batch_that_is_still_being_stored_is_sent_again_later(clickhouse):
    """As after a collector's death: the server is busy with what it had sent."""
    store, batch = open_store(clickhouse.url("busy")), request_rows(10, 1)
    client = clickhouse.client()
    progress = client.execute_iter(
        "SELECT sleep(0.2) FROM system.numbers LIMIT 1000",
        query_id="requests b1",
        settings={"max_block_size": 1},
    )
    next(iter(progress))
    with pytest.raises(StoreError, match="b1 is still being stored: send it again later"):
        store.insert("requests", batch, "b1", attempt=2)
    with pytest.raises(StoreError, match="already running"):
        store._engine.insert("requests", store.query("endpoints_raw", **WINDOW), "b1")
    client.disconnect()
    last, told = time.monotonic() + 120, "never tried"
    while told:
        assert time.monotonic() < last, told
        try:
            store.insert("requests", batch, "b1", attempt=3)
            told = ""
        except StoreError as error:
            told = str(error)
            time.sleep(0.05)
    assert sum(store.query("endpoints_raw", **WINDOW)["requests"].to_pylist()) == 10
    store.close()
