"""Side b against side a: what costs more CPU per request, which function, how sure."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from collector.answers.fleet import Sorts, Told, sorts_of, told_of, with_fleet
from collector.answers.hours import Tables, same_hours
from collector.answers.models import same_models
from collector.answers.records import Answer
from collector.answers.sides import Side
from collector.answers.stacks import stack_index
from collector.answers.together import together
from collector.store import reads
from collector.store.store import Store, truncated
from profiler.compare import compare_sides
from profiler.measured import RequestWindows, SideData, StackWindows
from profiler.records import Comparison, Deploy

__all__ = ["compare"]

Texts = npt.NDArray[np.str_]

#: Window widths, s; the smallest that leaves no more than WINDOWS_MAX windows of a side is taken.
WIDTHS_S = (5, 10, 30, 60, 300, 600, 3600)
WINDOWS_WANTED = 30
#: A long side is cut to its newest part: an hour a year ago says little about a deploy of today.
WINDOWS_MAX = 600
#: More than the number of any window, which are counted from 1970.
WINDOWS_END = 1 << 40


def compare(
    store: Store,
    a: Side,
    b: Side,
    *,
    service: str,
    endpoint: str = "",
    warmup_requests: int = 200,
    warmup_s: int = 120,
    budget: float = 0.01,
    server_cost_per_year: float = 0.0,
) -> Answer[Comparison]:
    """The comparison of two sides of a service; `endpoint` empty: all endpoints."""
    spans = together(
        lambda: reads.side_span(store, a, service, endpoint),
        lambda: reads.side_span(store, b, service, endpoint),
    )
    width_s = _width_s([(last - first) / 1000 for first, last in spans])
    cut = [_newest(side, last, width_s) for side, (_, last) in zip((a, b), spans, strict=True)]
    warmup = {"warmup_requests": warmup_requests, "warmup_s": warmup_s}
    tables, sorts, told, deploy = _asked(store, cut, b, service, endpoint, width_s, warmup)
    tables, hours_note = same_hours(cut, tables, width_s)
    same, unlike, model_notes = same_models([one[0] for one in tables])
    tables = [(rows, *one[1:]) for rows, one in zip(same, tables, strict=True)]
    number, stacks = stack_index(store, [samples for _, _, samples, _ in tables])
    left, right = (
        SideData(side.label, _requests(requests, load), _stacks(samples, number), _p99(latency))
        for side, (requests, load, samples, latency) in zip(cut, tables, strict=True)
    )
    left, right = with_fleet((left, right), sorts, told)
    found = compare_sides(
        service,
        left,
        right,
        stacks,
        window_s=float(width_s),
        budget=budget,
        deploy=deploy,
        server_cost_per_year=server_cost_per_year,
        unlike=unlike,
    )
    notes = tuple(
        f"{side.label}: its newest {WINDOWS_MAX} windows of {width_s} s are compared, not all of it"
        for side, (first, _) in zip(cut, spans, strict=True)
        if first < side.from_ms
    )
    return Answer(
        replace(found, notes=found.notes + notes + hours_note + model_notes + _side_notes(cut)),
        unit="cpu_ns",
        truncated=any(truncated(table) for parts in tables for table in parts),
        as_of_ms=max(last for _, last in spans),
    )


def _asked(
    store: Store,
    sides: Sequence[Side],
    b: Side,
    service: str,
    endpoint: str,
    width_s: int,
    warmup: dict[str, int],
) -> tuple[list[Tables], Sorts, list[Told], Deploy | None]:
    """(request windows, host load, stack windows and latency of each side, sorts of requests of
    both, what else is told of each, the deploy of b)."""
    window_ms = width_s * 1000
    loads = _loads(sides)
    each: list[Callable[[], Any]] = []
    for side in sides:
        asked = (store, side, service, endpoint)
        each += [
            partial(_requests_of, *asked, window_ms, warmup),
            partial(reads.stack_windows, *asked, window_ms=window_ms),
            partial(reads.latency_quantiles, *asked),
            partial(told_of, *asked, warmup),
        ]
    found = together(
        *each,
        partial(sorts_of, store, sides, service, endpoint, warmup),
        partial(_deploy, store, service, b),
        *(partial(reads.host_load, store, side, window_ms=window_ms) for side in loads),
    )
    tables: list[Tables] = [
        (found[at], found[10 if len(loads) == 1 else 10 + number], found[at + 1], found[at + 2])
        for number, at in enumerate((0, 4))
    ]
    return tables, found[8], [found[3], found[7]], found[9]


def _requests_of(
    store: Store, side: Side, service: str, endpoint: str, window_ms: int, warmup: dict[str, int]
) -> pa.Table:
    return reads.request_windows(store, side, service, endpoint, window_ms=window_ms, **warmup)


def _loads(sides: Sequence[Side]) -> list[Side]:
    """Of whom the load is asked: once, where both sides are of the same hosts and times."""
    a, b = sides
    if a.host != b.host or a.from_ms >= b.to_ms or b.from_ms >= a.to_ms:
        return [a, b]
    return [replace(a, from_ms=min(a.from_ms, b.from_ms), to_ms=max(a.to_ms, b.to_ms))]


def _side_notes(sides: Sequence[Side]) -> tuple[str, ...]:
    if any(side.flag for side in sides):
        return ("stack samples carry no flags: functions are not compared by flag",)
    return ()


def _width_s(durations_s: list[float]) -> int:
    """The shorter side gets WINDOWS_WANTED windows where it can; windows are at least 5 s."""
    wanted = min(durations_s) / WINDOWS_WANTED
    return max((width for width in WIDTHS_S if width <= wanted), default=WIDTHS_S[0])


def _newest(side: Side, last_ms: int, width_s: int) -> Side:
    earliest = last_ms - WINDOWS_MAX * width_s * 1000
    return replace(side, from_ms=max(side.from_ms, earliest))


def _requests(rows: pa.Table, loads: pa.Table) -> RequestWindows:
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


def _stacks(rows: pa.Table, number: dict[int, int]) -> StackWindows:
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


def _text(rows: pa.Table, column: str) -> Texts:
    words, number = _words(rows, column)
    return np.take(words, number)


def _words(rows: pa.Table, column: str) -> tuple[Texts, npt.NDArray[np.int64]]:
    """(words, number of each row's among them). Rows of a word share it: hundreds of thousands of
    long ones take no room of their own."""
    found = rows[column].combine_chunks().dictionary_encode()
    words: npt.NDArray[Any] = np.array(found.dictionary.to_pylist(), dtype=np.object_)
    return words, np.asarray(found.indices, dtype=np.int64)


def _p99(rows: pa.Table) -> dict[str, float]:
    return dict(zip(rows["endpoint"].to_pylist(), rows["p99"].to_pylist(), strict=True))


def _deploy(store: Store, service: str, side: Side) -> Deploy | None:
    """The newest deploy of side b's release, where side b is a release."""
    rows = reads.deploy_of(store, service, side.release).to_pylist() if side.release else []
    if not rows:
        return None
    row = rows[0]
    return Deploy(row["ts_ms"], row["release"], row["previous"], tuple(row["commits"]), row["note"])
