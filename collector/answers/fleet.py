"""What a comparison rests on beside windows: sorts of requests, peaks, restarts, counted calls."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from collector.answers.sides import Side
from collector.store import fleet_reads
from collector.store.store import Store
from profiler.measured import PeakMinute, SideData, SortsOfRequests
from profiler.vocabulary import MINUTE_MS

__all__ = ["Sorts", "Told", "sorts_of", "told_of", "with_fleet"]

#: endpoint -> (caller, function) -> (calls per request, profiled requests)
Calls = dict[str, dict[tuple[str, str], tuple[float, int]]]
#: of both sides; by what requests are told apart
Sorts = tuple[list[pa.Table], str]

#: Sorts of requests of a side; with more, flags are left out.
SORTS_MAX = 20_000
FLAG_SEPARATOR = "\x1f"
#: Deeply profiled requests of an endpoint below which its calls are not relied on.
PROFILED_MIN = 5
SORTS_BY = "kind, status, warm-up"


@dataclass(frozen=True, slots=True)
class Told:
    """Of one side. `peaks`: by unit; `restarts`: workers that served requests of their warm-up."""

    peaks: dict[str, PeakMinute]
    calls: Calls
    restarts: int


def with_fleet(
    data: tuple[SideData, SideData], sorts: Sorts, told: Sequence[Told]
) -> tuple[SideData, SideData]:
    """The same data with sorts of requests, and with what `told_of` found of each side."""
    tables, by = sorts
    known = _flag_names(tables[0]) & _flag_names(tables[1])
    left, right = (
        replace(
            one,
            sorts=_columns(table, known),
            sorts_by=by,
            peaks=found.peaks,
            calls=found.calls,
            restarts=found.restarts,
        )
        for one, table, found in zip(data, tables, told, strict=True)
    )
    return left, right


def told_of(
    store: Store,
    side: Side,
    service: str,
    endpoint: str,
    warmup: Mapping[str, int],
    has_young: bool,
) -> Told:
    """Peak minutes, counted calls and restarts of a side, where it has young workers."""
    restarts = 0
    if has_young:
        restarts = fleet_reads.young_workers(store, side, service, endpoint, **warmup)
    return Told(
        peaks=_peaks(fleet_reads.peak_minutes(store, side, service, endpoint)),
        calls=_calls(store, side, service, endpoint),
        restarts=restarts,
    )


def sorts_of(
    store: Store,
    sides: Sequence[Side],
    service: str,
    endpoint: str,
    warmup: Mapping[str, int],
) -> Sorts:
    """Sorts of requests of both sides: by flags too, unless there are too many sets of them."""

    def ask(by_flags: bool) -> list[pa.Table]:
        return [
            fleet_reads.traffic_groups(
                store, side, service, endpoint, by_flags=by_flags, rows_max=SORTS_MAX, **warmup
            )
            for side in sides
        ]

    tables = ask(True)
    if any(table.num_rows >= SORTS_MAX for table in tables):
        return ask(False), SORTS_BY
    return tables, f"{SORTS_BY}, flags"


def _flag_names(table: pa.Table) -> set[str]:
    sets = table["flag_set"].unique().to_pylist()
    return {flag.partition("=")[0] for text in sets for flag in text.split(FLAG_SEPARATOR) if flag}


def _columns(table: pa.Table, known: set[str]) -> SortsOfRequests:
    """A flag that only one side knows came with the code: its cost is cost, and no mix."""
    sets = {
        text: FLAG_SEPARATOR.join(
            flag for flag in text.split(FLAG_SEPARATOR) if flag.partition("=")[0] in known
        )
        for text in table["flag_set"].unique().to_pylist()
    }
    words = zip(*(table[name].to_pylist() for name in ("kind", "status", "warm")), strict=True)
    sorts = [
        f"{kind} {status} {warm} {sets[flags]}"
        for (kind, status, warm), flags in zip(words, table["flag_set"].to_pylist(), strict=True)
    ]
    return SortsOfRequests(
        endpoint=np.array(table["endpoint"].to_pylist(), dtype=np.str_),
        unit=np.array(table["cost_unit"].to_pylist(), dtype=np.str_),
        sort=np.array(sorts, dtype=np.str_),
        requests=table["n"].to_numpy().astype(np.float64),
        cost=table["cost_sum"].to_numpy().astype(np.float64),
    )


def _peaks(table: pa.Table) -> dict[str, PeakMinute]:
    return {
        row["cost_unit"]: PeakMinute(
            int(row["minute"]) * MINUTE_MS, float(row["cost_sum"]), int(row["users"])
        )
        for row in table.to_pylist()
    }


def _calls(store: Store, side: Side, service: str, endpoint: str) -> Calls:
    profiled = fleet_reads.profiled(store, side, service, endpoint)
    known = {name: requests for name, requests in profiled.items() if requests >= PROFILED_MIN}
    found: Calls = {}
    if not known:
        return found
    for row in fleet_reads.calls(store, side, service, endpoint).to_pylist():
        requests = known.get(row["endpoint"], 0)
        if requests:
            pair = (row["caller"], row["function"])
            found.setdefault(row["endpoint"], {})[pair] = (row["call_count"] / requests, requests)
    return found
