"""Anything at all as a batch: stored whole, or refused with a reason and without a trace."""

import random
import secrets

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.batches import check_batch
from profiler.vocabulary import SENT, WIRE
from profiler.wire import SCHEMAS
from tests.collector import rows
from tests.collector.arrow import stream
from tests.collector.conftest import NOW_S

NOW_MS = int(NOW_S * 1000)
DAY_MS = 86_400_000
TABLES = {
    "requests": rows.request_rows(12, 1),
    "stack_samples": rows.sample_rows(12, 1),
    "line_samples": rows.line_rows(),
    "stacks": rows.stack_rows(),
    "errors": rows.error_rows(5),
    "spans": rows.span_rows("0" * 32),
    "function_costs": rows.function_cost_rows(),
    "metrics": rows.metric_rows("load", [1.0, 2.0]),
    "limits": rows.limit_rows("x", 1),
    "statements": rows.statement_rows(),
}
ODD_VALUES = [
    pa.array([float("nan")]), pa.array([-1.0]), pa.array([float("inf")]), pa.array([1e300]),
    pa.array([3e38], pa.float32()), pa.array([-1]), pa.array([2**64 - 1], pa.uint64()),
    pa.array([0], pa.uint64()), pa.array([NOW_MS + 2 * DAY_MS], pa.uint64()),
    pa.array([NOW_MS - 500 * DAY_MS], pa.uint64()), pa.array([NOW_MS - DAY_MS], pa.uint64()),
    pa.array([65_535], pa.uint16()), pa.array([2**32 - 1], pa.uint32()), pa.array([None]),
    pa.array([""]), pa.array(["x" * 70_000]), pa.array(["x" * 4_096]), pa.array(["\0'\\\n{x:Int}"]),
    pa.array(["http"]), pa.array([None], pa.string()), pa.array([b"\xff\xfe"]),
    pa.array([[]], pa.list_(pa.string())), pa.array([["a"] * 200]), pa.array([[None]]),
    pa.array([[2**63]], pa.list_(pa.uint64())), pa.array([[1]], pa.list_(pa.uint32())),
    pa.array([["a", "x" * 5_000]]), pa.array([{"a": 1}]), pa.array([True]),
    pa.array(["a"]).dictionary_encode(), pa.array([[[1]]]), pa.array(["a"], pa.large_string()),
]  # fmt: skip
NOT_UTF8 = pa.StringArray.from_buffers(
    1, pa.py_buffer(np.array([0, 2], np.int32)), pa.py_buffer(b"\xc3\x28")
)


@st.composite
def odd_tables(draw):
    """A good batch with columns replaced, dropped, doubled or added."""
    table = draw(st.sampled_from(sorted(TABLES)))
    batch = TABLES[table]
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, batch.num_columns - 1))
        name = batch.column_names[at]
        what = draw(st.sampled_from(["value", "value", "value", "drop", "twice", "rename", "cast"]))
        odd = draw(st.sampled_from([*ODD_VALUES, NOT_UTF8]))
        if what == "value":
            batch = batch.set_column(at, name, _some(batch.column(at), odd, draw(st.booleans())))
        elif what == "drop" and batch.num_columns > 1:
            batch = batch.remove_column(at)
        elif what == "twice":
            batch = batch.append_column(name, batch.column(at))
        elif what == "rename":
            other = draw(st.text(max_size=20) | st.sampled_from(batch.column_names))
            batch = batch.rename_columns(
                [other if i == at else old for i, old in enumerate(batch.column_names)]
            )
        else:
            batch = batch.set_column(at, name, pa.nulls(batch.num_rows, odd.type))
    compression = draw(st.sampled_from(["zstd", "lz4", None]))
    return table, stream(batch, compression, draw(st.sampled_from([None, 1, 5])))


@st.composite
def broken_streams(draw):
    """The bytes of a good batch: flipped, cut, doubled, shuffled, and lengths overwritten."""
    table = draw(st.sampled_from(sorted(TABLES)))
    good = stream(TABLES[table], draw(st.sampled_from(["zstd", "lz4", None])))
    chance = random.Random(draw(st.integers(0, 2**32)))
    body = bytearray(good)
    for _ in range(draw(st.integers(1, 6))):
        at = chance.randrange(len(body) or 1)
        what = draw(st.sampled_from(["flip", "flip", "number", "cut", "double", "noise"]))
        if what == "flip" and body:
            body[at] ^= 1 << chance.randrange(8)
        elif what == "number":
            odd = chance.choice([-1, 2**63 - 1, 2**31, 0, 1, chance.randrange(2**40)])
            at -= at % 8
            body[at : at + 8] = odd.to_bytes(8, "little", signed=True)
        elif what == "cut":
            del body[at : at + chance.randrange(200)]
        elif what == "double":
            body[at:at] = body[at : at + chance.randrange(200)]
        else:
            body[at : at + 16] = chance.randbytes(16)
    return table, bytes(body)


def _some(column: pa.ChunkedArray, odd: pa.Array, everywhere: bool) -> pa.ChunkedArray:
    """The column with the odd value in all rows, or in one where that type allows it."""
    size = len(column)
    if not everywhere and odd.type == column.type and size > 1:
        return pa.chunked_array([*column.slice(0, size - 1).chunks, odd])
    return pa.chunked_array([pa.concat_arrays([odd] * size)])


BATCHES = (
    odd_tables()
    | broken_streams()
    | st.tuples(st.sampled_from(sorted(SENT)), st.binary(max_size=400))
)
ANY = {"deadline": None, "suppress_health_check": list(HealthCheck)}


@settings(max_examples=300, **ANY)
@given(BATCHES)
def test_a_few_hundred_batches(site, store, batch):
    is_stored_whole_or_refused(site, store, *batch)


@pytest.mark.long
@pytest.mark.timeout(3_000)
@settings(max_examples=10_000, **ANY)
@given(BATCHES)
def test_ten_thousand_batches(site, store, batch):
    is_stored_whole_or_refused(site, store, *batch)


def test_afterwards_the_roll_ups_agree_with_the_rows(store):
    """Runs after the others: what they stored is in both."""
    store.insert("requests", TABLES["requests"], "one-at-least")
    exact = counted(store, "SELECT sum(weight) AS n FROM requests")
    for roll_up in ("endpoint_minutes", "host_minutes"):
        assert counted(store, f"SELECT sum(n) AS n FROM {roll_up}") == pytest.approx(exact)


def is_stored_whole_or_refused(site, store, table: str, body: bytes) -> None:
    count = f"SELECT count() AS n FROM {table}"
    batch_id = secrets.token_hex(8)  # `random` gives hypothesis the same number each time
    before = counted(store, count)
    answer = site.client.put(
        f"/v1/batches/{batch_id}?table={table}", data=body, headers=site.bearer("ingest")
    )
    if answer.status_code == 204:
        sent = check_batch(table, body, NOW_MS)
        stored = counted(store, f"{count} WHERE batch_id = '{batch_id}'")
        # A ReplacingMergeTree keeps one row a key of a block.
        assert stored == sent.num_rows or (table in ("stacks", "statements") and stored > 0)
        return
    assert answer.status_code in (400, 413), answer.text
    assert len(answer.json["error"]) > 20
    assert counted(store, count) == before


def counted(store, statement: str) -> float:
    return float(store._engine.select(statement, {})["n"].to_pylist()[0])


def test_every_table_that_is_sent_is_tried():
    assert set(TABLES) == set(SENT)
    for table, batch in TABLES.items():
        assert batch.schema.names == [column.name for column in WIRE[table]]
        assert check_batch(table, stream(batch), NOW_MS).schema == SCHEMAS[table]
