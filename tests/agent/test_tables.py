import pyarrow as pa

from agent.tables import DAY_MS, batches, ipc_bytes, table_of
from profiler.vocabulary import ROWS_MAX, WIRE
from profiler.wire import SCHEMAS


def limits(times_ms):
    return table_of(
        "limits",
        {"ts_ms": times_ms, "service": "", "host": "h", "region": "", "where": "agent"}
        | {"what": "x", "count": list(range(len(times_ms)))},
    )


def test_schemas_follow_the_vocabulary():
    for name, columns in WIRE.items():
        assert SCHEMAS[name].names == [column.name for column in columns]


def test_a_batch_is_cut_at_midnight():
    day = 20_000 * DAY_MS
    parts = list(batches(limits([day - 1, day, day + 1, day - 2])))
    assert [sorted(part["count"].to_pylist()) for part in parts] == [[0, 3], [1, 2]]


def test_a_batch_is_cut_at_the_row_limit():
    parts = list(batches(limits([5] * (2 * ROWS_MAX + 1))))
    assert [part.num_rows for part in parts] == [ROWS_MAX, ROWS_MAX, 1]
    assert sum(sum(part["count"].to_pylist()) for part in parts) == sum(range(2 * ROWS_MAX + 1))


def test_what_travels_is_a_compressed_stream_of_the_same_rows():
    table = limits([5] * 10_000)
    body = ipc_bytes(table)
    assert pa.ipc.open_stream(body).read_all() == table
    assert len(body) < table.nbytes / 2
    sliced = next(iter(batches(table))).slice(3, 2)
    assert pa.ipc.open_stream(ipc_bytes(sliced)).read_all().num_rows == 2
