"""Side b against side a: what costs more CPU per request, which function, how sure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pyarrow as pa

from collector.answers.fleet import Sorts, Told, sorts_of, told_of, with_fleet
from collector.answers.grouping import (
    HostGroups,
    grouped,
    host_groups,
    load_of_groups,
    over_time,
    requests_of_groups,
    samples_of_groups,
    times_of_groups,
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

#: Window widths, s; the smallest that leaves no more than WINDOWS_MAX windows of a side is taken.
WIDTHS_S = (5, 10, 30, 60, 300, 600, 3600)


WINDOWS_WANTED = 30
#: A long side is cut to its newest part: an hour a year ago says little about a deploy of today.
WINDOWS_MAX = 600
#: Of hosts in groups, samples are left out of minutes in which their host mostly warmed up.
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
    spans = [_span(rows) for rows in seen]
    width_s = _width_s([(last - first) / 1000 for first, last in spans])
    groups = host_groups(seen, (a, b), endpoint, width_s)
    cut = [_newest(side, last, width_s) for side, (_, last) in zip((a, b), spans, strict=True)]
    question = Question(store, service, endpoint, width_s, warmup)
    young = [sum(rows["young"].to_pylist()) > 0 for rows in seen]
    tables, sorts, told, deploy = _asked(question, cut, b, groups, young)
    tables, hours_note = same_hours(cut, tables, width_s)
    tables, unlike, model_notes = _same_models(tables)
    number, stacks = stack_index(store, [samples for _, _, samples, *_ in tables])
    left, right = (
        SideData(
            side.label,
            request_columns(requests, load),
            stack_columns(samples, number),
            p99_by_endpoint(latency),
        )
        for side, (requests, load, samples, *_, latency) in zip(cut, tables, strict=True)
    )
    if groups:
        left, right = (
            grouped(data, side, hosts, table[3], table[4], width_s)
            for data, side, hosts, table in zip((left, right), cut, seen, tables, strict=True)
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
    question: Question,
    sides: Sequence[Side],
    b: Side,
    groups: Sequence[HostGroups] | None,
    young: Sequence[bool],
) -> tuple[list[Tables], Sorts, list[Told], Deploy | None]:
    """(tables of each side, sorts of requests of both, what else is told of each, the deploy of b).
    `young`: whether a side has young workers."""
    store, service, endpoint = question.store, question.service, question.endpoint
    loads, window_ms = _loads(sides), question.width_s * 1000
    each: list[Callable[[], Any]] = []
    for number, side in enumerate(sides):
        mine = groups[number] if groups else None
        each += [
            partial(_requests_of, question, side, mine),
            partial(_samples_of, question, side, mine, young[number]),
            partial(reads.latency_quantiles, store, side, service, endpoint),
            partial(told_of, store, side, service, endpoint, question.warmup, young[number]),
        ]
    found = together(
        *each,
        partial(sorts_of, store, sides, service, endpoint, question.warmup),
        partial(_deploy, store, service, b),
        *(partial(reads.host_load, store, side, window_ms=window_ms) for side in loads),
        *(partial(_times_of, question, side) for side in sides if groups and not endpoint),
    )
    tables: list[Tables] = []
    for number, at in enumerate((0, 4)):
        load = found[10 if len(loads) == 1 else 10 + number]
        requests, samples, latency = found[at : at + 3]
        if groups is None:
            tables.append((requests, load, samples, latency))
            continue
        times = times_of_groups(requests) if endpoint else found[10 + len(loads) + number]
        load, of_time = load_of_groups(load, groups[number], question.width_s)
        tables.append((requests, load, samples, over_time(times), of_time, latency))
    return tables, found[8], [found[3], found[7]], found[9]


def _requests_of(question: Question, side: Side, groups: HostGroups | None) -> pa.Table:
    store, service, endpoint = question.store, question.service, question.endpoint
    if groups is None:
        window_ms = question.width_s * 1000
        return reads.request_windows(
            store, side, service, endpoint, window_ms=window_ms, **question.warmup
        )
    rows = group_reads.request_groups(
        store, side, service, endpoint, step_ms=groups.step_s * 1000, **question.warmup
    )
    return requests_of_groups(rows, groups, question.width_s)


def _times_of(question: Question, side: Side) -> pa.Table:
    return group_reads.request_times(
        question.store,
        side,
        question.service,
        question.endpoint,
        window_ms=question.width_s * 1000,
        **question.warmup,
    )


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
        by_hour=groups.by_hour,
        has_young=has_young,
        young_ms=YOUNG_MS,
        **question.warmup,
    )
    return samples_of_groups(rows, groups, question.width_s)


def _same_models(tables: Sequence[Tables]) -> tuple[list[Tables], str, tuple[str, ...]]:
    """`same_models` for the tables of requests: by host, and over time."""
    same, unlike, notes = same_models([one[0] for one in tables])
    found: list[Tables] = [(rows, *one[1:]) for rows, one in zip(same, tables, strict=True)]
    if len(found[0]) > 4:
        times, _, _ = same_models([one[3] for one in tables])
        found = [(*one[:3], rows, *one[4:]) for rows, one in zip(times, found, strict=True)]
    return found, unlike, notes


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


def _width_s(durations_s: list[float]) -> int:
    """The shorter side gets WINDOWS_WANTED windows where it can; windows are at least 5 s."""
    wanted = min(durations_s) / WINDOWS_WANTED
    return max((width for width in WIDTHS_S if width <= wanted), default=WIDTHS_S[0])


def _newest(side: Side, last_ms: int, width_s: int) -> Side:
    earliest = last_ms - WINDOWS_MAX * width_s * 1000
    return replace(side, from_ms=max(side.from_ms, earliest))


def _deploy(store: Store, service: str, side: Side) -> Deploy | None:
    """The newest deploy of side b's release, where side b is a release."""
    rows = reads.deploy_of(store, service, side.release).to_pylist() if side.release else []
    if not rows:
        return None
    row = rows[0]
    return Deploy(row["ts_ms"], row["release"], row["previous"], tuple(row["commits"]), row["note"])
