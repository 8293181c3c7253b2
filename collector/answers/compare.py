"""Side b against side a: what costs more CPU per request, which function, how sure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from collector.answers.fleet import Sorts, Told, sorts_of, told_of, with_fleet
from collector.answers.grouping import (
    HostGroups,
    host_groups,
    load_of_groups,
    of_groups,
    samples_of_groups,
)
from collector.answers.hours import Tables, same_hours
from collector.answers.models import same_models
from collector.answers.records import Answer
from collector.answers.side_columns import p99_by_endpoint, request_columns, stack_columns
from collector.answers.sides import Side
from collector.answers.stacks import stack_index
from collector.answers.together import together
from collector.store import group_reads, reads
from collector.store.store import Store, truncated
from profiler.compare import compare_sides
from profiler.measured import SideData
from profiler.records import Comparison, Deploy

__all__ = ["compare"]

#: Window widths, s; the smallest that leaves no more windows of a side than are allowed is taken.
WIDTHS_S = (5, 10, 30, 60, 300, 600, 3600)


@dataclass(frozen=True, slots=True)
class Windows:
    """How many windows the shorter side gets where it can; and how many a side has at most: a long
    side is cut to its newest part, since an hour a year ago says little about a deploy of today.
    """

    wanted: int
    most: int


#: Of hosts, and of groups of many hosts, where windows tell no more than what follows the load.
OF_HOSTS, OF_GROUPS = Windows(30, 600), Windows(12, 30)
#: In groups, samples are left out of minutes in which their host mostly warmed up.
YOUNG_MS = 60_000


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of each side."""

    store: Store
    service: str
    endpoint: str
    width_s: int
    warmup: dict[str, int]


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
    warmup = {"warmup_requests": warmup_requests, "warmup_s": warmup_s}
    seen = together(
        *(
            partial(group_reads.side_hosts, store, side, service, endpoint, **warmup)
            for side in (a, b)
        )
    )
    spans, groups = [_span(rows) for rows in seen], host_groups(seen)
    windows = OF_GROUPS if groups else OF_HOSTS
    width_s = _width_s([(last - first) / 1000 for first, last in spans], windows.wanted)
    cut = [
        _newest(side, last, windows.most * width_s)
        for side, (_, last) in zip((a, b), spans, strict=True)
    ]
    question = Question(store, service, endpoint, width_s, warmup)
    young = [sum(rows["young"].to_pylist()) > 0 for rows in seen]
    tables, sorts, told, deploy = _asked(question, cut, b, groups, young)
    tables, hours_note = same_hours(cut, tables, width_s)
    same, unlike, model_notes = same_models([one[0] for one in tables])
    tables = [(rows, *one[1:]) for rows, one in zip(same, tables, strict=True)]
    number, stacks = stack_index(store, [samples for _, _, samples, _ in tables])
    left, right = (
        SideData(
            side.label,
            request_columns(requests, load),
            stack_columns(samples, number),
            p99_by_endpoint(latency),
        )
        for side, (requests, load, samples, latency) in zip(cut, tables, strict=True)
    )
    if groups:
        left, right = (
            _grouped(*one, width_s) for one in zip((left, right), cut, seen, strict=True)
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
        f"{side.label}: its newest {windows.most} windows of {width_s} s are compared, "
        "not all of it"
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
    question: Question,
    sides: Sequence[Side],
    b: Side,
    groups: Sequence[HostGroups] | None,
    young: Sequence[bool],
) -> tuple[list[Tables], Sorts, list[Told], Deploy | None]:
    """(request windows, host load, stack windows and latency of each side, sorts of requests of
    both, what else is told of each, the deploy of b). `young`: whether a side has young workers."""
    store, service, endpoint = question.store, question.service, question.endpoint
    loads = _loads(sides)
    each: list[Callable[[], Any]] = []
    for number, side in enumerate(sides):
        mine = groups[number] if groups else None
        each += [
            partial(_requests_of, question, side, mine),
            partial(_samples_of, question, side, mine, young[number]),
            partial(reads.latency_quantiles, store, side, service, endpoint),
            partial(told_of, store, side, service, endpoint, question.warmup, young[number]),
        ]
    window_ms = question.width_s * 1000
    found = together(
        *each,
        partial(sorts_of, store, sides, service, endpoint, question.warmup),
        partial(_deploy, store, service, b),
        *(partial(reads.host_load, store, side, window_ms=window_ms) for side in loads),
    )
    hosts_loads = [found[10], found[-1]]
    if groups:
        hosts_loads = [load_of_groups(*one) for one in zip(hosts_loads, groups, strict=True)]
    tables: list[Tables] = [
        (found[at], hosts_loads[number], found[at + 1], found[at + 2])
        for number, at in enumerate((0, 4))
    ]
    return tables, found[8], [found[3], found[7]], found[9]


def _requests_of(question: Question, side: Side, groups: HostGroups | None) -> pa.Table:
    store, service, endpoint = question.store, question.service, question.endpoint
    window_ms = question.width_s * 1000
    if groups is None:
        return reads.request_windows(
            store, side, service, endpoint, window_ms=window_ms, **question.warmup
        )
    rows = group_reads.request_groups(
        store, side, service, endpoint, window_ms=window_ms, **question.warmup
    )
    return of_groups(rows, groups)


def _samples_of(
    question: Question, side: Side, groups: HostGroups | None, has_young: bool
) -> pa.Table:
    store, service, endpoint = question.store, question.service, question.endpoint
    if groups is None:
        window_ms = question.width_s * 1000
        return reads.stack_windows(store, side, service, endpoint, window_ms=window_ms)
    rows = group_reads.stack_groups(
        store,
        side,
        service,
        endpoint,
        by_hour=side.is_window,
        has_young=has_young,
        young_ms=YOUNG_MS,
        **question.warmup,
    )
    return samples_of_groups(rows, groups, question.width_s)


def _grouped(data: SideData, side: Side, seen: pa.Table, width_s: int) -> SideData:
    """A side in groups of hosts: which hosts they are, for how long they served, and samples, by
    now without windows, all in the first one."""
    windows = np.unique(data.requests.window)
    if not len(windows):
        return data
    first_s = max(side.from_ms, min(seen["first_ms"].to_pylist())) / 1000
    last_s = max(seen["last_ms"].to_pylist()) / 1000
    # Windows at the ends are wide, and served only in part.
    before_s = max(first_s - float(windows[0]) * width_s, 0.0)
    after_s = max(float(windows[-1] + 1) * width_s - last_s, 0.0)
    at_first = np.full_like(data.stacks.window, windows[0])
    return replace(
        data,
        stacks=replace(data.stacks, window=at_first),
        host_names=tuple(row["host"] for row in seen.to_pylist() if row["last_ms"] >= side.from_ms),
        seconds=len(windows) * width_s - before_s - after_s,
    )


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


def _span(seen: pa.Table) -> tuple[int, int]:
    """Time of the first and the last request of a side, UTC ms; (0, 0) where there is none."""
    if not seen.num_rows:
        return 0, 0
    return min(seen["first_ms"].to_pylist()), max(seen["last_ms"].to_pylist())


def _width_s(durations_s: list[float], wanted: int) -> int:
    """The shorter side gets so many windows where it can; windows are at least 5 s."""
    length = min(durations_s) / wanted
    return max((width for width in WIDTHS_S if width <= length), default=WIDTHS_S[0])


def _newest(side: Side, last_ms: int, length_s: int) -> Side:
    return replace(side, from_ms=max(side.from_ms, last_ms - length_s * 1000))


def _deploy(store: Store, service: str, side: Side) -> Deploy | None:
    """The newest deploy of side b's release, where side b is a release."""
    rows = reads.deploy_of(store, service, side.release).to_pylist() if side.release else []
    if not rows:
        return None
    row = rows[0]
    return Deploy(row["ts_ms"], row["release"], row["previous"], tuple(row["commits"]), row["note"])
