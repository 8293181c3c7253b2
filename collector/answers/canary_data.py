"""The canary's tables as columns."""

from collections import defaultdict

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from profiler.canary_measures import CanaryData, Memory, Seen, Statuses
from profiler.canary_records import CanaryEndpoint

__all__ = ["canary_data", "endpoint_rows"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Texts = npt.NDArray[np.str_]
NAN = float("nan")


def canary_data(
    release: str,
    during: pa.Table,
    before: pa.Table,
    statuses: pa.Table,
    workers: pa.Table,
    memory: pa.Table,
    memory_before: pa.Table,
) -> CanaryData:
    """From rows of canary_reads. In the time before, a host is the canary's that runs it later."""
    hosts = _numbers(during, before, statuses, memory, memory_before, column="host")
    models = _numbers(during, before, column="cpu_model")
    theirs = {
        host
        for host, name in zip(_list(during, "host"), _list(during, "release"), strict=True)
        if name == release
    }
    pids = _releases(workers)
    return CanaryData(
        during=_seen(during, release, hosts, models),
        before=_seen(before, release, hosts, models, theirs),
        statuses=_statuses(statuses, release, hosts),
        memory=_memory(memory, release, hosts, pids),
        memory_before=_memory(memory_before, release, hosts, pids, theirs),
    )


def _numbers(*tables: pa.Table, column: str) -> dict[str, int]:
    names = {name for table in tables for name in _list(table, column)}
    return {name: number for number, name in enumerate(sorted(names))}


def _list(table: pa.Table, column: str) -> list[str]:
    found: list[str] = table[column].to_pylist()
    return found


def _seen(
    rows: pa.Table,
    release: str,
    hosts: dict[str, int],
    models: dict[str, int],
    theirs: set[str] | None = None,
) -> Seen:
    names = _list(rows, "release")
    if theirs is not None:  # what the release served before its start was another canary
        rows = rows.filter(pa.array([name != release for name in names], pa.bool_()))
        canary = [host in theirs for host in _list(rows, "host")]
    else:
        canary = [name == release for name in names]
    return Seen(
        host=_coded(rows, "host", hosts),
        window=_ints(rows, "win"),
        canary=np.array(canary, dtype=np.bool_),
        endpoint=np.array(_list(rows, "endpoint"), dtype=np.str_),
        unit=np.array(_list(rows, "cost_unit"), dtype=np.str_),
        model=_coded(rows, "cpu_model", models),
        warm=rows["warm"].to_numpy().astype(np.bool_),
        requests=_floats(rows, "n"),
        every=_floats(rows, "every"),
        failed=_floats(rows, "errors"),
        cost=_floats(rows, "cost_sum"),
        slow=_floats(rows, "slow"),
    )


def _statuses(rows: pa.Table, release: str, hosts: dict[str, int]) -> Statuses:
    return Statuses(
        host=_coded(rows, "host", hosts),
        window=_ints(rows, "win"),
        canary=np.array([name == release for name in _list(rows, "release")], dtype=np.bool_),
        endpoint=np.array(_list(rows, "endpoint"), dtype=np.str_),
        status=_ints(rows, "status"),
        requests=_floats(rows, "n"),
    )


def _releases(workers: pa.Table) -> dict[tuple[str, str], str]:
    """(host, pid) -> its release; processes that ran both have none."""
    seen: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in workers.to_pylist():
        seen[row["host"], str(row["pid"])].add(row["release"])
    return {worker: names.pop() for worker, names in seen.items() if len(names) == 1}


def _memory(
    rows: pa.Table,
    release: str,
    hosts: dict[str, int],
    pids: dict[tuple[str, str], str],
    theirs: set[str] | None = None,
) -> Memory:
    found: list[tuple[int, int, bool, float, float]] = []
    for row in rows.to_pylist():
        host = row["host"]
        words = (word.partition("=") for word in row["words"])
        pid = next((text for name, _, text in words if name == "pid"), "")
        runs = pids.get((host, pid))
        if runs is None or (theirs is not None and runs == release):
            continue
        canary = runs == release if theirs is None else host in theirs
        found.append((hosts[host], row["win"], canary, row["held_bytes"], row["readings"]))
    host_number, window, canary_rows, held, readings = (
        zip(*found, strict=True) if found else ((),) * 5
    )
    return Memory(
        host=np.array(host_number, dtype=np.int64),
        window=np.array(window, dtype=np.int64),
        canary=np.array(canary_rows, dtype=np.bool_),
        bytes=np.array(held, dtype=np.float64),
        readings=np.array(readings, dtype=np.float64),
    )


def endpoint_rows(
    statuses: pa.Table, release: str, canary: pa.Table, control: pa.Table
) -> tuple[CanaryEndpoint, ...]:
    """What people look at beside the verdicts; `canary`, `control`: latency quantiles."""
    counts: dict[tuple[str, bool], dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for row in statuses.to_pylist():
        counts[row["endpoint"], row["release"] == release][row["status"]] += row["n"]
    sides = [{row["endpoint"]: row for row in table.to_pylist()} for table in (canary, control)]
    found = []
    for endpoint in sorted(sides[0].keys() | sides[1].keys()):
        a, b = (side.get(endpoint, {}) for side in sides)
        said = [counts[endpoint, theirs] for theirs in (True, False)]
        sums = [sum(one.values()) or NAN for one in said]
        found.append(
            CanaryEndpoint(
                endpoint=endpoint,
                requests_canary=a.get("requests", 0),
                requests_control=b.get("requests", 0),
                error_rate_canary=a["errors"] / a["requests"] if a.get("requests") else NAN,
                error_rate_control=b["errors"] / b["requests"] if b.get("requests") else NAN,
                latency_ms_p50_canary=a.get("p50", NAN),
                latency_ms_p50_control=b.get("p50", NAN),
                latency_ms_p99_canary=a.get("p99", NAN),
                latency_ms_p99_control=b.get("p99", NAN),
                statuses=tuple(
                    (status, said[0].get(status, 0.0) / sums[0], said[1].get(status, 0.0) / sums[1])
                    for status in sorted(said[0].keys() | said[1].keys())
                ),
            )
        )
    return tuple(found)


def _coded(rows: pa.Table, column: str, numbers: dict[str, int]) -> Ints:
    return np.array([numbers[name] for name in _list(rows, column)], dtype=np.int64)


def _ints(rows: pa.Table, column: str) -> Ints:
    return np.array(rows[column].to_numpy(), dtype=np.int64)


def _floats(rows: pa.Table, column: str) -> Floats:
    return np.array(rows[column].to_numpy(), dtype=np.float64)
