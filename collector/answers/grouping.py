"""Hosts in groups, where a comparison has more of them than groups: a group is a cluster of hosts,
so it serves as the unit of error as a host does, and the work no longer grows with the hosts.

Rows are then of groups, of all of a side's time at once, and beside them of windows of time, all
hosts at once, which tell how the cost follows the load. Where hosts of a group have other shares of
its requests on one side than on the other, the speeds of the hosts do not cancel out as between
pairs of hosts: the intervals are wider then.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from collector.answers.hours import HOUR_S, hours_between
from collector.answers.side_columns import request_columns
from collector.answers.sides import Side
from collector.store.group_reads import GROUPS
from profiler.measured import GroupedHosts, SideData

__all__ = [
    "HostGroups",
    "grouped",
    "host_groups",
    "load_of_groups",
    "over_time",
    "requests_of_groups",
    "samples_of_groups",
    "times_of_groups",
]

EVERY_HOST = "all"
#: Longer than any time since 1970, and of whole windows of any width.
ALL_S = 3_600 << 20
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class HostGroups:
    """Of one side: host -> the number of its group; what the names of groups begin with."""

    number: dict[str, int]
    prefix: str
    by_hour: bool
    """samples keep their hours"""
    step_s: int
    """of requests: windows where one endpoint is asked for, as they are few then; hours, or ALL"""


def host_groups(
    seen: Sequence[pa.Table], sides: Sequence[Side], endpoint: str, width_s: int
) -> list[HostGroups] | None:
    """Of both sides; None where no side has more hosts than there are groups. `seen`: rows of
    `side_hosts`. Groups are paired, as hosts are, unless the sides share no host."""
    if max(rows.num_rows for rows in seen) <= GROUPS:
        return None
    numbers = [
        dict(zip(rows["host"].to_pylist(), rows["host_group"].to_pylist(), strict=True))
        for rows in seen
    ]
    apart = numbers[0].keys().isdisjoint(numbers[1])
    hours = [
        hours_between(min(rows["first_ms"].to_pylist()), max(rows["last_ms"].to_pylist()))
        for rows in seen
        if rows.num_rows
    ]
    by_hour = all(side.is_window for side in sides) and hours[0] != hours[-1]
    prefixes = ("a", "b") if apart else ("", "")
    step_s = width_s if endpoint else HOUR_S if by_hour else ALL_S
    return [HostGroups(*one, by_hour, step_s) for one in zip(numbers, prefixes, strict=True)]


def requests_of_groups(rows: pa.Table, groups: HostGroups, width_s: int) -> pa.Table:
    """Rows of `request_groups` as those of `request_windows`: groups have the place of hosts, and
    the windows in which steps begin that of windows."""
    return _placed(rows, groups, rows["step"].to_numpy().astype(np.int64), groups.step_s // width_s)


def samples_of_groups(rows: pa.Table, groups: HostGroups, width_s: int) -> pa.Table:
    """Rows of `stack_groups` as those of `stack_windows`, in the same way."""
    return _placed(rows, groups, rows["hour"].to_numpy().astype(np.int64), HOUR_S // width_s)


def _placed(rows: pa.Table, groups: HostGroups, steps: Ints, windows: int) -> pa.Table:
    """`steps`: of each row, of so many windows each."""
    number = rows["host_group"].combine_chunks()
    rows = rows.append_column("host", _names(groups.prefix).take(number))
    return rows.append_column("win", pa.array(steps * windows))


def load_of_groups(loads: pa.Table, groups: HostGroups, width_s: int) -> tuple[pa.Table, pa.Table]:
    """Rows of `host_load`: the mean over each group's hosts that are on the side, and its time; and
    over all of these hosts, per window."""
    mine, number = _on_the_side(loads, groups)
    step = groups.step_s // width_s
    windows = mine["win"].to_numpy().astype(np.int64) // step * step
    of_each = _means(_names(groups.prefix).take(number), pa.array(windows), mine["load"])
    return of_each, _means(_every_host(mine), mine["win"], mine["load"])


def times_of_groups(rows: pa.Table) -> pa.Table:
    """Rows of `request_times`, out of those of `requests_of_groups` with all windows."""
    keys = ["win", "endpoint", "cost_unit", "cpu_model", "warm"]
    sums = rows.group_by(keys).aggregate([("n", "sum"), ("cost_sum", "sum")])
    return sums.rename_columns(
        [{"n_sum": "n", "cost_sum_sum": "cost_sum"}.get(name, name) for name in sums.column_names]
    )


def over_time(rows: pa.Table) -> pa.Table:
    """Rows of `request_times` as those of `request_windows` of one host; what does not follow the
    load is left empty."""
    nothing = pa.array(np.zeros(rows.num_rows))
    rows = rows.append_column("host", _every_host(rows))
    rows = rows.append_column("kind", _every_host(rows))
    return rows.append_column("errors", nothing).append_column("task_clock_sum", nothing)


def grouped(
    data: SideData, side: Side, seen: pa.Table, rows: pa.Table, loads: pa.Table, width_s: int
) -> SideData:
    """A side in groups of hosts. `rows`, `loads`: over time, as above."""
    times = request_columns(rows, loads)
    windows = np.unique(times.window)
    if not len(windows):
        return data
    first_s = max(side.from_ms, min(seen["first_ms"].to_pylist())) / 1000
    last_s = max(seen["last_ms"].to_pylist()) / 1000
    # Windows at the ends were served only in part.
    before_s = max(first_s - float(windows[0]) * width_s, 0.0)
    after_s = max(float(windows[-1] + 1) * width_s - last_s, 0.0)
    here = [row["host"] for row in seen.to_pylist() if row["last_ms"] >= side.from_ms]
    seconds = len(windows) * width_s - before_s - after_s
    requests, stacks = data.requests, data.stacks
    return replace(
        data,
        requests=replace(requests, window=np.full_like(requests.window, windows[0])),
        stacks=replace(stacks, window=np.full_like(stacks.window, windows[0])),
        grouped=GroupedHosts(tuple(here), times, seconds),
    )


def _on_the_side(loads: pa.Table, groups: HostGroups) -> tuple[pa.Table, pa.Array]:
    """(rows of the side's hosts, the number of each one's group)."""
    at = pc.index_in(loads["host"], pa.array(list(groups.number), pa.string()))
    known = pc.is_valid(at)
    numbers = pa.array(list(groups.number.values()), pa.int32())
    return loads.filter(known), numbers.take(at.filter(known).combine_chunks())


def _means(host: pa.Array, windows: pa.Array, loads: pa.ChunkedArray) -> pa.Table:
    table = pa.table({"host": host, "win": windows, "load": loads})
    means = table.group_by(["host", "win"]).aggregate([("load", "mean")])
    return means.rename_columns([name.removesuffix("_mean") for name in means.column_names])


def _every_host(rows: pa.Table) -> pa.Array:
    return pa.array([EVERY_HOST]).take(pa.array(np.zeros(rows.num_rows, dtype=np.int32)))


def _names(prefix: str) -> pa.Array:
    return pa.array([f"{prefix}{number:02}" for number in range(GROUPS)])
