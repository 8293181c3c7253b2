"""Every reason for which a batch is refused, and that nothing else is."""

import re
import struct

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.arrow_stream import StreamLimits
from collector.batches import check_batch
from collector.errors import Refused
from profiler.vocabulary import WIRE
from profiler.wire import SCHEMAS
from tests.collector import rows
from tests.collector.arrow import stream, with_column

NOW_MS = rows.START_MS + 3_600_000
DAY_MS = 86_400_000
GOOD = rows.request_rows(40, 1)
STACKS = rows.stack_rows()
U64 = pa.uint64()


def refused(body: bytes, table: str = "requests", **limits: int) -> Refused:
    with pytest.raises(Refused) as caught:
        check_batch(table, body, NOW_MS, StreamLimits(**limits))
    return caught.value


@pytest.mark.parametrize("compression", ["zstd", "lz4", None])
def test_good_batches_pass_in_any_order_of_columns_and_of_any_codec(compression):
    shuffled = GOOD.select(list(reversed(GOOD.column_names)))
    taken = check_batch("requests", stream(shuffled, compression, rows_each=7), NOW_MS)
    assert taken.equals(GOOD)


def test_a_batch_without_rows_passes():
    assert check_batch("requests", stream(GOOD.slice(0, 0)), NOW_MS).num_rows == 0


@pytest.mark.parametrize("table", sorted(WIRE))
def test_the_types_of_each_table_are_accepted(table):
    empty = SCHEMAS[table].empty_table()
    assert check_batch(table, stream(empty), NOW_MS).schema.names == empty.schema.names


@pytest.mark.parametrize(
    "body",
    [b"", b"not arrow", b"\xff\xff\xff\xff", stream(GOOD)[:-200], stream(GOOD)[:100], b"\0" * 64],
    ids=["empty", "text", "marker", "cut", "cut early", "zeros"],
)
def test_what_is_not_arrow(body):
    error = refused(body)
    assert (error.status, error.why) == (400, "not_arrow")
    assert "not an Arrow IPC stream" in str(error)


BAD_COLUMNS = {
    "missing": (GOOD.drop_columns(["wall_ns"]), "Column 'wall_ns' is missing."),
    "unknown": (GOOD.append_column("extra", pa.array([1] * 40)), "Column 'extra' is unknown"),
    "twice": (GOOD.append_column("seq", GOOD["seq"]), "Column 'seq' is there more than once."),
    "type": (with_column(GOOD, "cost", 1.5, pa.float64()), "Column 'cost' is double, not uint64."),
    "text": (with_column(GOOD, "status", "200", pa.string()), "Column 'status' is string"),
    "list": (with_column(GOOD, "flags", "x", pa.string()), "Column 'flags' is string, not list"),
    "items": (
        with_column(GOOD, "statement_fps", [[1]] * 40, pa.list_(pa.int64())),
        "Column 'statement_fps' is list<item: int64>",
    ),
    "binary": (with_column(GOOD, "host", b"a", pa.binary()), "Column 'host' is binary"),
}


@pytest.mark.parametrize("name", BAD_COLUMNS)
def test_columns_and_types(name):
    table, sentence = BAD_COLUMNS[name]
    error = refused(stream(table))
    assert error.status == 400
    assert sentence in str(error)


def some(values: list[object], at: int = 3, total: int = 40, rest: object = None) -> list[object]:
    """`values` from row `at` on, `rest` elsewhere."""
    return [rest] * at + values + [rest] * (total - at - len(values))


def lists(column: str, row: list[object]) -> list[object]:
    return [row, *GOOD[column].to_pylist()[1:]]


BAD_VALUES = {
    "null": ("cost", some([None], rest=1), U64, "Column 'cost' has 1 nulls"),
    "null item": ("flags", lists("flags", [None]), pa.list_(pa.string()), "'flags' has 1 nulls"),
    "nan": ("weight", some([float("nan")], rest=1.0), pa.float32(), "'weight' has a NaN"),
    "infinite": ("weight", some([float("inf")], rest=1.0), pa.float32(), "or an infinity"),
    "negative": ("weight", some([-1.0], rest=1.0), pa.float32(), "'weight' has a negative number"),
    "kind": ("kind", "cron", pa.string(), "Column 'kind' has a word other than http, task."),
    "outcome": ("outcome", "", pa.string(), "Column 'outcome' has a word other than ok, error"),
    "unit": ("cost_unit", "joules", pa.string(), "Column 'cost_unit' has a word other than none"),
    "future": ("ts_ms", NOW_MS + DAY_MS + 1, U64, "'ts_ms' is more than a day in the future"),
    "far future": ("ts_ms", 2**64 - 1, U64, "'ts_ms' is more than a day in the future"),
    "past": ("ts_ms", 1, U64, "'ts_ms' is more than 7 days in the past"),
    "week": ("ts_ms", NOW_MS - 7 * DAY_MS - 1, U64, "'ts_ms' is more than 7 days in the past"),
    "two days": ("ts_ms", some([NOW_MS - DAY_MS], rest=NOW_MS), U64, "'ts_ms' spans midnight UTC"),
    "long": ("host", "x" * 4_097, pa.string(), "Column 'host' has a string over 4096 bytes."),
    "long text": ("trace_id", "x" * 65_537, pa.string(), "'trace_id' has a string over 65536"),
    "long flag": (
        "flags",
        lists("flags", ["x" * 5_000]),
        pa.list_(pa.string()),
        "'flags' has a string over 4096",
    ),
    "many flags": (
        "flags",
        lists("flags", ["x"] * 65),
        pa.list_(pa.string()),
        "'flags' has a list of over 64 items",
    ),
    "uneven": (
        "statement_ns",
        lists("statement_ns", [1]),
        pa.list_(U64),
        "'statement_fps' and 'statement_ns' have lists of different lengths",
    ),
}


@pytest.mark.parametrize("name", BAD_VALUES)
def test_values(name):
    column, values, kind, sentence = BAD_VALUES[name]
    error = refused(stream(with_column(GOOD, column, values, kind)))
    assert error.status == 400
    assert sentence in str(error)


def test_frames_and_lines_must_match():
    table = with_column(STACKS, "lines", [[1]] * 4, pa.list_(pa.uint32()))
    assert "'frames' and 'lines' have lists of different" in str(refused(stream(table), "stacks"))


def test_invalid_utf8_names_the_column_or_the_stream():
    spoiled = stream(with_column(GOOD, "host", "XXXXXXXX", pa.string()), None)
    error = refused(spoiled.replace(b"XXXXXXXX", b"\xff\xfe\xfd\xfc\xff\xfe\xfd\xfc"))
    assert error.status == 400
    assert re.search("(?i)utf-?8", str(error))


def test_too_many_rows_are_refused_before_they_are_unpacked():
    error = refused(stream(GOOD, rows_each=10), rows=39)
    assert (error.status, error.why) == (400, "rows")
    assert check_batch("requests", stream(GOOD, rows_each=10), NOW_MS, StreamLimits(rows=40))


def test_too_many_record_batches():
    assert refused(stream(GOOD, rows_each=1), messages=39).why == "messages"


def test_a_large_body():
    error = refused(stream(GOOD), body_bytes=1_000)
    assert (error.status, error.why) == (413, "body")


def test_a_decompression_bomb_is_refused_by_what_it_says():
    """80 MB in 240 kB."""
    bomb = with_column(rows.limit_rows("x", 1), "what", "x" * 4_000, pa.string())
    bomb = pa.concat_tables([bomb] * 20_000).combine_chunks()
    body = stream(bomb)
    assert len(body) < 300_000
    error = refused(body, "limits", unpacked_bytes=50_000_000)
    assert (error.status, error.why) == (413, "unpacked")


def test_a_buffer_that_lies_about_its_length_is_refused():
    body = bytearray(stream(GOOD))
    small = struct.pack("<q", GOOD.num_rows * 8)
    at = body.index(small, body.index(b"\x28\xb5\x2f\xfd") - 8)
    body[at : at + 8] = struct.pack("<q", 2**62)
    assert refused(bytes(body)).status == 413
    body[at : at + 8] = struct.pack("<q", -5)
    assert refused(bytes(body)).status == 400


def test_dictionaries_are_not_expanded():
    table = GOOD.set_column(
        GOOD.column_names.index("host"), "host", GOOD["host"].dictionary_encode()
    )
    assert "Column 'host' is dictionary" in str(refused(stream(table)))


BODIES = [stream(GOOD), stream(GOOD, None, rows_each=9), stream(STACKS)]


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(BODIES), st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=8)
)
def test_mutated_streams_are_taken_or_refused_with_a_reason(body, changes):
    spoiled = bytearray(body)
    for place, value in changes:
        spoiled[min(int(place * len(spoiled)), len(spoiled) - 1)] = value
    try:
        taken = check_batch("requests", bytes(spoiled), NOW_MS)
    except Refused as error:
        assert error.status in (400, 413)
        assert len(str(error)) > 20
    else:
        assert taken.schema.names == GOOD.schema.names
        assert np.isfinite(taken["weight"].to_numpy()).all()


def test_an_agent_cannot_send_the_platforms_own_metrics():
    forged = rows.metric_rows("slo_budget_left_ratio", [1.0], start_ms=NOW_MS, source="slo")
    assert "'source' has a word other than host" in str(refused(stream(forged), "metrics"))


def test_rows_of_senders_that_say_more_of_their_columns_are_of_one_schema():
    """Names of list items, words about columns: the rows of many senders are put together."""
    fields = [
        pa.field(
            field.name,
            pa.list_(pa.field("thing", field.type.value_type))
            if pa.types.is_list(field.type)
            else field.type,
            nullable=False,
            metadata={"made by": "another"},
        )
        for field in GOOD.schema
    ]
    other = GOOD.cast(pa.schema(fields, metadata={"k": "v"}))
    assert not other.schema.equals(GOOD.schema)
    taken = check_batch("requests", stream(other), NOW_MS)
    assert taken.schema.equals(SCHEMAS["requests"], check_metadata=True)
    assert taken.to_pylist() == GOOD.to_pylist()


def test_what_is_known_of_one_beginning_does_not_help_another():
    """Beginnings that are right are remembered, by all of their bytes."""
    good = stream(GOOD)
    for _ in range(2):
        assert check_batch("requests", good, NOW_MS).num_rows == GOOD.num_rows
        with pytest.raises(Refused, match="Column 'cost' is missing"):
            check_batch("requests", stream(GOOD.drop_columns(["cost"])), NOW_MS)
        with pytest.raises(Refused, match="is unknown|is missing"):
            check_batch("limits", good, NOW_MS)


def test_a_schema_that_is_all_words_is_refused():
    wordy = GOOD.replace_schema_metadata({"k": "x" * 70_000})
    with pytest.raises(Refused, match="The schema has more than 64,000 bytes"):
        check_batch("requests", stream(wordy), NOW_MS)
