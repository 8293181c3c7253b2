"""Rows of one side of a comparison as the columns that `profiler` reads."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from profiler.measured import RequestWindows, StackWindows

__all__ = ["p99_by_endpoint", "request_columns", "stack_columns"]

Texts = npt.NDArray[np.str_]

#: More than the number of any window, which are counted from 1970.
WINDOWS_END = 1 << 40


def request_columns(rows: pa.Table, loads: pa.Table) -> RequestWindows:
    """Rows of `reads.request_windows`, with the load of their hosts: of `reads.host_load`."""
    hosts, endpoints, order = _ordered(rows)
    return RequestWindows(
        host=hosts,
        window=rows["win"].to_numpy().astype(np.int64)[order],
        endpoint=endpoints,
        kind=_text(rows, "kind")[order],
        unit=_text(rows, "cost_unit")[order],
        requests=rows["n"].to_numpy().astype(np.float64)[order],
        errors=rows["errors"].to_numpy().astype(np.float64)[order],
        cost=rows["cost_sum"].to_numpy().astype(np.float64)[order],
        task_clock_ns=rows["task_clock_sum"].to_numpy().astype(np.float64)[order],
        warm=rows["warm"].to_numpy().astype(np.bool_)[order],
        load=_load(rows, loads)[order],
    )


def stack_columns(rows: pa.Table, number: dict[int, int]) -> StackWindows:
    """Rows of `reads.stack_windows`; `number`: of each stack_id, in their order."""
    hosts, endpoints, order = _ordered(rows)
    ids = np.array(list(number), dtype=np.uint64)  # in order, as their numbers are
    return StackWindows(
        host=hosts,
        window=rows["win"].to_numpy().astype(np.int64)[order],
        endpoint=endpoints,
        stack=np.searchsorted(ids, rows["stack_id"].to_numpy()).astype(np.int64)[order],
        weight_s=rows["weight_s"].to_numpy().astype(np.float64)[order],
        samples=rows["samples"].to_numpy().astype(np.float64)[order],
        contended=(rows["contended"].to_numpy() > 0)[order],
    )


def p99_by_endpoint(rows: pa.Table) -> dict[str, float]:
    """ms, of rows of `reads.latency_quantiles`."""
    return dict(zip(rows["endpoint"].to_pylist(), rows["p99"].to_pylist(), strict=True))


def _ordered(rows: pa.Table) -> tuple[Texts, Texts, npt.NDArray[np.int64]]:
    """(hosts, endpoints, the order in which they are): by endpoint and host."""
    (hosts, host), (endpoints, endpoint) = (_words(rows, name) for name in ("host", "endpoint"))
    order = np.argsort(endpoint * max(len(hosts), 1) + host)
    return np.take(hosts, host[order]), np.take(endpoints, endpoint[order]), order


def _load(rows: pa.Table, loads: pa.Table) -> npt.NDArray[np.float64]:
    """CPU use of each row's host in its window; nan where it is not known."""
    if not loads.num_rows:
        return np.full(rows.num_rows, np.nan)
    hosts = loads["host"].unique()
    sought, known = (_place(one, hosts) for one in (rows, loads))
    order = np.argsort(known)
    known = known[order]
    at = np.minimum(np.searchsorted(known, sought), len(known) - 1)
    found = loads["load"].to_numpy()[order][at]
    return np.where(known[at] == sought, found, np.nan)


def _place(table: pa.Table, hosts: pa.Array) -> npt.NDArray[np.int64]:
    """Host (its number among `hosts`, or -1) and window of each row, as one number."""
    number = pc.fill_null(pc.index_in(table["host"], hosts), -1).to_numpy().astype(np.int64)
    places: npt.NDArray[np.int64] = number * WINDOWS_END + table["win"].to_numpy().astype(np.int64)
    return places


def _text(rows: pa.Table, column: str) -> Texts:
    words, number = _words(rows, column)
    return np.take(words, number)


def _words(rows: pa.Table, column: str) -> tuple[Texts, npt.NDArray[np.int64]]:
    """(words, number of each row's among them). Rows of a word share it: hundreds of thousands of
    long ones take no room of their own."""
    found = rows[column].combine_chunks().dictionary_encode()
    words: npt.NDArray[Any] = np.array(found.dictionary.to_pylist(), dtype=np.object_)
    return words, np.asarray(found.indices, dtype=np.int64)
