"""Hosts in groups, where a comparison has more of them than groups: a group is a cluster of hosts,
so it serves as the unit of error as a host does, and the work no longer grows with the hosts.

Where hosts of a group have other shares of its requests on one side than on the other, the speeds
of the hosts do not cancel out as between pairs of hosts: the intervals are wider then.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from collector.answers.hours import HOUR_S
from collector.store.group_reads import GROUPS

__all__ = ["HostGroups", "host_groups", "load_of_groups", "of_groups", "samples_of_groups"]


@dataclass(frozen=True, slots=True)
class HostGroups:
    """Of one side: host -> the number of its group, and what the names of groups begin with."""

    number: dict[str, int]
    prefix: str


def host_groups(seen: Sequence[pa.Table]) -> list[HostGroups] | None:
    """Of both sides; None where no side has more hosts than there are groups. `seen`: rows of
    `side_hosts`. Groups are paired, as hosts are, unless the sides share no host."""
    if max(rows.num_rows for rows in seen) <= GROUPS:
        return None
    numbers = [
        dict(zip(rows["host"].to_pylist(), rows["host_group"].to_pylist(), strict=True))
        for rows in seen
    ]
    apart = numbers[0].keys().isdisjoint(numbers[1])
    prefixes = ("a", "b") if apart else ("", "")
    return [HostGroups(*one) for one in zip(numbers, prefixes, strict=True)]


def of_groups(rows: pa.Table, groups: HostGroups) -> pa.Table:
    """Rows of `request_groups` as those of `request_windows`: groups have the place of hosts."""
    number = rows["host_group"].combine_chunks()
    return rows.append_column("host", _names(groups.prefix).take(number))


def samples_of_groups(rows: pa.Table, groups: HostGroups, width_s: int) -> pa.Table:
    """Rows of `stack_groups` as those of `stack_windows`, at the start of each hour."""
    windows = rows["hour"].to_numpy().astype(np.int64) * (HOUR_S // width_s)
    return of_groups(rows, groups).append_column("win", pa.array(windows))


def load_of_groups(loads: pa.Table, groups: HostGroups) -> pa.Table:
    """Rows of `host_load`: the mean over each group's hosts that are on the side."""
    hosts = pa.array(list(groups.number), pa.string())
    at = pc.index_in(loads["host"], hosts)
    known = pc.is_valid(at)
    number = pa.array(list(groups.number.values()), pa.int32()).take(at.filter(known))
    mine = loads.filter(known).set_column(
        loads.column_names.index("host"), "host", _names(groups.prefix).take(number)
    )
    means = mine.group_by(["host", "win"]).aggregate([("load", "mean")])
    return means.rename_columns([name.removesuffix("_mean") for name in means.column_names])


def _names(prefix: str) -> pa.Array:
    return pa.array([f"{prefix}{number:02}" for number in range(GROUPS)])
