"""What was measured on one side of a comparison, as columns."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

__all__ = [
    "GroupedHosts",
    "PeakMinute",
    "RequestWindows",
    "SideData",
    "SortsOfRequests",
    "StackWindows",
]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RequestWindows:
    """Sums per host, window, endpoint and unit; all columns have the same length."""

    host: npt.NDArray[np.str_]
    window: npt.NDArray[np.int64]
    endpoint: npt.NDArray[np.str_]
    kind: npt.NDArray[np.str_]
    unit: npt.NDArray[np.str_]
    requests: Floats
    errors: Floats
    cost: Floats
    """sum, in the row's unit"""
    task_clock_ns: Floats
    warm: npt.NDArray[np.bool_]
    """past the worker's warm-up"""
    load: Floats
    """the host's CPU use in the window, percent; nan where it was not measured"""


@dataclass(frozen=True, slots=True)
class StackWindows:
    """Sampled weight per host, window, endpoint and stack."""

    host: npt.NDArray[np.str_]
    window: npt.NDArray[np.int64]
    endpoint: npt.NDArray[np.str_]
    stack: npt.NDArray[np.int64]
    """index into the comparison's stacks"""
    weight_s: Floats
    samples: Floats
    contended: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class SortsOfRequests:
    """Sums per endpoint, unit and sort of request, warm-up included; columns of one length."""

    endpoint: npt.NDArray[np.str_]
    unit: npt.NDArray[np.str_]
    sort: npt.NDArray[np.str_]
    """kind, status, warmth and flags as one text"""
    requests: Floats
    cost: Floats


@dataclass(frozen=True, slots=True)
class PeakMinute:
    """The busiest whole minute of a side."""

    minute_ms: int
    cost: float
    users: int


@dataclass(frozen=True, slots=True)
class GroupedHosts:
    """Where hosts are so many that rows are of groups of them, of all of the side's time at once,
    and samples of what is past warm-up only."""

    names: tuple[str, ...]
    """the hosts"""
    over_time: RequestWindows
    """requests of all hosts together, per window"""
    seconds: float
    """for how long the side served"""


@dataclass(frozen=True, slots=True)
class SideData:
    """One side: what was measured. `latency_ms_p99`: endpoint -> ms; `peaks`: by unit."""

    label: str
    requests: RequestWindows
    stacks: StackWindows
    latency_ms_p99: Mapping[str, float]
    sorts: SortsOfRequests | None = None
    """None: raw rows do not tell"""
    sorts_by: str = ""
    peaks: Mapping[str, PeakMinute] = field(default_factory=dict)
    calls: Mapping[str, Mapping[tuple[str, str], tuple[float, int]]] = field(default_factory=dict)
    """endpoint -> (caller, function) -> (calls per request, deeply profiled requests)"""
    restarts: int = 0
    """workers that served requests of their warm-up"""
    grouped: GroupedHosts | None = None
    """None: rows are of hosts and windows"""
