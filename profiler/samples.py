"""The samples of one endpoint on one side, ready to be asked what any set of stacks costs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from profiler.measured import SideData
from profiler.statistics import Ratios, host_ratios

__all__ = ["SAMPLES_MIN", "EndpointSamples", "cost_of", "endpoint_samples", "task_clock"]

Floats = npt.NDArray[np.float64]

#: On-CPU samples of an endpoint below which a side says nothing about its functions.
SAMPLES_MIN = 100
#: Calm windows are used alone where they hold at least this share of the samples.
CALM_MIN = 0.5
#: More windows than a comparison ever has.
WINDOWS_MAX = 1 << 40


@dataclass(frozen=True, slots=True)
class EndpointSamples:
    """S stacks in C columns, one for each host and window with samples."""

    weight: Floats
    """(S, C) seconds"""
    host: npt.NDArray[np.int64]
    window: npt.NDArray[np.int64]
    samples: Floats
    """(S,)"""
    span: tuple[int, int]
    hosts: int
    clock: Ratios
    """thread CPU time per request, ns: (1, H)"""
    clock_ns: float
    """the same over all hosts"""


def endpoint_samples(
    side: SideData, endpoint: str, stacks: int, hosts: Sequence[str]
) -> EndpointSamples | None:
    """Samples past warm-up, of calm windows where most are; None with fewer than SAMPLES_MIN."""
    rows = side.stacks
    chosen = _calm(side, _warm(side, endpoint))
    if rows.samples[chosen].sum() < SAMPLES_MIN or not stacks:
        return None
    host = np.searchsorted(np.array(hosts), rows.host[chosen]).astype(np.int64)
    keys, column = np.unique(np.stack([host, rows.window[chosen]]), axis=1, return_inverse=True)
    weight = np.zeros((stacks, keys.shape[1]))
    np.add.at(weight, (rows.stack[chosen], column.reshape(-1)), rows.weight_s[chosen])
    samples = np.bincount(rows.stack[chosen], rows.samples[chosen], minlength=stacks).astype(float)
    requests = side.requests
    served = (requests.endpoint == endpoint) & requests.warm & (requests.requests > 0)
    windows = np.concatenate([rows.window[chosen], requests.window[served]])
    span = int(windows.min()), int(windows.max())
    clock = host_ratios(
        requests.task_clock_ns[None, served],
        requests.requests[served],
        np.searchsorted(np.array(hosts), requests.host[served]).astype(np.int64),
        requests.window[served],
        len(hosts),
        span,
    )
    return EndpointSamples(
        weight, keys[0], keys[1], samples, span, len(hosts), clock, task_clock(side, endpoint)
    )


def cost_of(samples: EndpointSamples, members: sparse.csr_matrix | Floats) -> Ratios:
    """Cost per request in cpu_ns of each set of stacks; `members`: (F, S), 1 where it is in it."""
    every = samples.weight.sum(axis=0)
    blamed = np.asarray(members @ samples.weight)
    share = host_ratios(blamed, every, samples.host, samples.window, samples.hosts, samples.span)
    return _product(share, samples.clock)


def task_clock(side: SideData, endpoint: str) -> float:
    """Mean thread CPU time per request past warm-up, ns."""
    rows = side.requests
    chosen = (rows.endpoint == endpoint) & rows.warm
    requests = float(rows.requests[chosen].sum())
    return float(rows.task_clock_ns[chosen].sum()) / requests if requests else 0.0


def _warm(side: SideData, endpoint: str) -> npt.NDArray[np.bool_]:
    """Samples of the endpoint from windows in which its host served requests past warm-up."""
    rows, taken = side.requests, side.stacks
    hosts = np.unique(np.concatenate([rows.host, taken.host]))
    served_at, taken_at = (
        np.searchsorted(hosts, one.host).astype(np.int64) * WINDOWS_MAX + one.window % WINDOWS_MAX
        for one in (rows, taken)
    )
    keys, at = np.unique(served_at, return_inverse=True)
    warm = np.bincount(at, rows.requests * rows.warm, minlength=len(keys))
    young = np.bincount(at, rows.requests * ~rows.warm, minlength=len(keys))
    cold = np.isin(taken_at, keys[young >= warm])
    found: npt.NDArray[np.bool_] = (taken.endpoint == endpoint) & ~cold
    return found


def _calm(side: SideData, chosen: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Without windows in which workers waited for a core: waits there pass for CPU time."""
    rows = side.stacks
    calm: npt.NDArray[np.bool_] = chosen & ~rows.contended
    seen, every = float(rows.samples[calm].sum()), float(rows.samples[chosen].sum())
    return calm if seen >= max(CALM_MIN * every, SAMPLES_MIN) else chosen


def _product(share: Ratios, clock: Ratios) -> Ratios:
    """share (F, H) x time per request (1, H); their errors by the delta method, wave by wave."""
    known = min(share.waves.shape[2], clock.waves.shape[2])
    waves = (
        share.waves[..., :known] * clock.mean[..., None]
        + clock.waves[..., :known] * share.mean[..., None]
    )
    weight = np.where(clock.weight > 0, share.weight, 0.0)
    return Ratios(share.mean * clock.mean, waves, weight, share.windows)
