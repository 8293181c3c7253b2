"""Checks a batch against the vocabulary: types, values, sizes. By columns, never row by row."""

from collections.abc import Callable, Iterable

import pyarrow as pa
import pyarrow.compute as pc

from collector.arrow_stream import StreamLimits, read_stream
from collector.errors import Refused
from profiler.vocabulary import (
    COST_UNITS,
    DAY_MS,
    KINDS,
    METRIC_SOURCES,
    OUTCOMES,
    ROWS_MAX,
    SPAN_KINDS,
    STACK_FRAMES_MAX,
    WIRE,
    ColumnType,
)
from profiler.wire import SCHEMAS

__all__ = ["check_batch", "check_rows", "check_times", "check_values"]

LIMITS = StreamLimits(rows=ROWS_MAX)
#: A row may be this far in the future (clocks differ), and a change this old.
FUTURE_MS = DAY_MS
PAST_MS = 400 * DAY_MS
#: Bytes of one string; items of one list.
STRING_BYTES_MAX = {"str": 4_096, "text": 65_536}
LIST_ITEMS_MAX = 10_000
ITEMS_MAX = {
    "statement_fps": 3,
    "flags": 64,
    "labels": 64,
    "frames": STACK_FRAMES_MAX,
    "top_frames": STACK_FRAMES_MAX,
}
#: Lists of one row that must be of the same length.
PARALLEL = {
    "requests": ("statement_fps", "statement_calls", "statement_ns"),
    "stacks": ("frames", "lines", "origins"),
}
WORDS: dict[str, dict[str, tuple[str, ...]]] = {
    "requests": {"kind": KINDS, "outcome": OUTCOMES, "cost_unit": COST_UNITS},
    "spans": {"kind": SPAN_KINDS, "outcome": OUTCOMES},
    "function_costs": {"cost_unit": COST_UNITS},
    "metrics": {"source": METRIC_SOURCES},
}
WEIGHT_MAX = 1_000_000
#: Every new host is remembered for good, one insert each.
HOSTS_MAX = 256
NOT_NEGATIVE = {
    "requests": ("weight",),
    "stack_samples": ("weight_s",),
    "line_samples": ("weight_s",),
}


def check_batch(
    table: str,
    body: bytes,
    now_ms: int,
    limits: StreamLimits = LIMITS,
    hold: Callable[[int], None] = lambda _: None,
    past_days: int = 7,
) -> pa.Table:
    """The rows of an Arrow IPC stream, in the order of WIRE; raises Refused with the reason.

    `hold`: told the bytes of the rows before they are unpacked, as in `read_stream`.
    `past_days`: how old a row may be.
    """
    rows = read_stream(body, SCHEMAS[table], limits, hold)
    check_rows(table, rows, now_ms, past_days)
    return rows


def check_rows(table: str, rows: pa.Table, now_ms: int, past_days: int) -> None:
    """Check the values of rows of the right columns; raises Refused with the reason."""
    if rows.num_rows == 0:
        return
    check_times(rows, now_ms, past_days)
    check_values(table, rows)


def check_values(table: str, rows: pa.Table) -> None:
    """All but the times. What passes for the rows of several batches passes for each of them."""
    for column in WIRE[table]:
        _check_column(column.name, column.type, rows[column.name])
    for name, words in WORDS.get(table, {}).items():
        _check_words(name, rows[name], words)
    for name in NOT_NEGATIVE.get(table, ()):
        if pc.min(rows[name]).as_py() < 0:
            raise Refused(400, "value", f"Column {name!r} has a negative number.")
        if pc.max(rows[name]).as_py() > WEIGHT_MAX:
            raise Refused(400, "value", f"Column {name!r} has a number over {WEIGHT_MAX:,}.")
    if pc.count_distinct(rows["host"]).as_py() > HOSTS_MAX:
        raise Refused(400, "hosts", f"The batch is of over {HOSTS_MAX} hosts: send them apart.")
    _check_parallel(rows, PARALLEL.get(table, ()))


def _check_column(name: str, kind: ColumnType, values: pa.ChunkedArray) -> None:
    _check_no_nulls(name, values)
    if kind in ("f32", "f64"):
        if not pc.all(pc.is_finite(values)).as_py():
            raise Refused(400, "value", f"Column {name!r} has a NaN or an infinity.")
        return
    if kind.endswith("[]"):
        items_max = ITEMS_MAX.get(name, LIST_ITEMS_MAX)
        if pc.max(pc.list_value_length(values)).as_py() > items_max:
            raise Refused(400, "length", f"Column {name!r} has a list of over {items_max} items.")
        values = pc.list_flatten(values)
        _check_no_nulls(name, values)
    if pa.types.is_string(values.type) and len(values):
        bytes_max = STRING_BYTES_MAX["text" if kind == "text" else "str"]
        if pc.max(pc.binary_length(values)).as_py() > bytes_max:
            raise Refused(400, "length", f"Column {name!r} has a string over {bytes_max} bytes.")


def _check_no_nulls(name: str, values: pa.ChunkedArray) -> None:
    if values.null_count:
        raise Refused(400, "null", f"Column {name!r} has {values.null_count} nulls: send none.")


def check_times(rows: pa.Table, now_ms: int, past_days: int) -> None:
    """Check the times of at least one row; raises Refused with the reason."""
    _check_no_nulls("ts_ms", rows["ts_ms"])
    ts_ms = rows["ts_ms"].to_numpy()
    oldest, newest = int(ts_ms.min()), int(ts_ms.max())
    if newest > now_ms + FUTURE_MS:
        raise Refused(400, "time", "Column 'ts_ms' is more than a day in the future.")
    if oldest < now_ms - past_days * DAY_MS:
        raise Refused(400, "time", f"Column 'ts_ms' is more than {past_days} days in the past.")
    if oldest // DAY_MS != newest // DAY_MS:
        raise Refused(400, "day", "Column 'ts_ms' spans midnight UTC: send one batch a day.")


def _check_words(name: str, values: pa.ChunkedArray, words: Iterable[str]) -> None:
    if not pc.all(pc.is_in(values, pa.array(words, pa.string()))).as_py():
        raise Refused(400, "value", f"Column {name!r} has a word other than {', '.join(words)}.")


def _check_parallel(rows: pa.Table, names: tuple[str, ...]) -> None:
    for name in names[1:]:
        lengths = pc.list_value_length(rows[name])
        if not pc.all(pc.equal(lengths, pc.list_value_length(rows[names[0]]))).as_py():
            sentence = f"Columns {names[0]!r} and {name!r} have lists of different lengths."
            raise Refused(400, "length", sentence)
