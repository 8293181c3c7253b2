"""The embedded engine: bound values, limits, threads, one folder a process."""

import threading
import time

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.store.embedded import Embedded
from collector.store.engine import QueryLimits
from collector.store.errors import QueryStopped, StoreError, StoreInUse
from collector.store.texts import query_text

SETTINGS_QUERY = query_text("engine_settings")
LIMITS = QueryLimits(seconds=1.0, rows=1_000, memory_bytes=100_000_000)
TEXT = st.text(st.characters(codec="utf-8"), max_size=40)


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    opened = Embedded(tmp_path_factory.mktemp("engine") / "chdb", LIMITS, SETTINGS_QUERY)
    yield opened
    opened.close()


@settings(max_examples=60, deadline=None)
@given(TEXT, st.lists(TEXT, max_size=3), st.lists(st.integers(0, 2**64 - 1), max_size=3))
def test_values_are_bound_and_never_read_as_sql(engine, text, texts, numbers):
    row = engine.select(
        "SELECT {t:String} AS t, {ts:Array(String)} AS ts, {ns:Array(UInt64)} AS ns",
        {"t": text, "ts": texts, "ns": numbers},
    ).to_pylist()[0]
    assert row == {"t": text, "ts": texts, "ns": numbers}


@pytest.mark.parametrize(
    "text",
    ["'; DROP TABLE requests; --", "\\", "\\'", "a\tb\nc\rd\0e", "{t:String}", "\\N", "NULL"],
)
def test_evil_text_comes_back_unchanged(engine, text):
    table = engine.select("SELECT {t:String} AS t", {"t": text})
    assert table["t"].to_pylist() == [text]


def test_a_result_past_the_row_limit_is_cut_and_marked(engine):
    long = engine.select("SELECT number FROM numbers(200000)", {})
    exact = engine.select("SELECT number FROM numbers(1000)", {})
    assert (long.num_rows, exact.num_rows) == (1_000, 1_000)
    assert long.schema.metadata == {b"truncated": b"1"}
    assert exact.schema.metadata is None


def test_an_empty_result_has_its_columns(engine):
    assert engine.select("SELECT 1 AS a WHERE 0", {}).column_names == ["a"]


def test_a_long_query_is_stopped_with_one_sentence(engine):
    endless = "SELECT count() FROM numbers(1000000000000) WHERE cityHash64(number) % 7 = 0"
    with pytest.raises(QueryStopped, match="shorter window"):
        engine.select(endless, {})


def test_what_a_failed_query_had_written_is_not_part_of_the_next_result(engine):
    for _ in range(10):
        with pytest.raises(StoreError):
            engine.select(
                "SELECT number, throwIf(number = 300) FROM numbers(900) SETTINGS max_block_size=50",
                {},
            )
        assert engine.select("SELECT 1 AS a", {}).to_pydict() == {"a": [1]}


def test_a_greedy_query_is_stopped(engine):
    with pytest.raises(QueryStopped, match="100 MB"):
        engine.select("SELECT uniqExact(number) FROM numbers(100000000)", {})


def test_a_connection_works_again_after_an_error(engine):
    for _ in range(20):
        with pytest.raises(StoreError):
            engine.select("SELECT nonsense FROM nowhere", {})
        with pytest.raises(StoreError):
            engine.insert("nowhere", pa.table({"a": [1]}), "t")
    assert engine.select("SELECT 1 AS a", {}).num_rows == 1


def test_queries_of_several_threads_run_at_once_and_off_the_interpreter_lock(engine):
    """Two sleeping queries overlap, and this thread runs on meanwhile."""
    spans = []

    def ask() -> None:
        started = time.monotonic()
        engine.select("SELECT sleep(0.4) AS s", {})
        spans.append((started, time.monotonic()))

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    ticks = 0
    while any(thread.is_alive() for thread in threads):
        ticks += 1
        threads[0].join(0.01)
    assert max(start for start, _ in spans) < min(end for _, end in spans)
    assert ticks > 3


def test_a_second_folder_in_one_process_is_refused(engine, tmp_path):
    with pytest.raises(StoreInUse, match="another data folder"):
        Embedded(tmp_path / "chdb", LIMITS, SETTINGS_QUERY)
