"""The samples of one endpoint on one side, ready to be asked what any set of stacks costs."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from profiler.measured import RequestWindows, StackWindows
from profiler.parts import WINDOWS_MAX, Part
from profiler.statistics import Ratios, host_ratios

__all__ = ["SAMPLES_MIN", "EndpointSamples", "cost_of", "endpoint_samples"]

Floats = npt.NDArray[np.float64]

#: On-CPU samples of an endpoint below which a side says nothing about its functions.
SAMPLES_MIN = 100
#: Calm windows are used alone where they hold at least this share of the samples.
CALM_MIN = 0.5


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


def endpoint_samples(part: Part, stacks: int, hosts: int) -> EndpointSamples | None:
    """Samples past warm-up, of calm windows where most are; None with fewer than SAMPLES_MIN."""
    calm = _calm(part.stacks)
    rows, host = part.stacks, part.stack_host[calm]
    if rows.samples[calm].sum() < SAMPLES_MIN or not stacks:
        return None
    stack, window = rows.stack[calm], rows.window[calm]
    keys, column = np.unique(host * WINDOWS_MAX + window, return_inverse=True)
    weight = np.zeros((stacks, len(keys)))
    np.add.at(weight, (stack, column.reshape(-1)), rows.weight_s[calm])
    samples = np.bincount(stack, rows.samples[calm], minlength=stacks).astype(float)
    requests = part.requests
    served = requests.warm & (requests.requests > 0)
    windows = np.concatenate([window, requests.window[served]])
    span = int(windows.min()), int(windows.max())
    clock = host_ratios(
        requests.task_clock_ns[None, served],
        requests.requests[served],
        part.host[served],
        requests.window[served],
        hosts,
        span,
    )
    return EndpointSamples(
        weight,
        keys // WINDOWS_MAX,
        keys % WINDOWS_MAX,
        samples,
        span,
        hosts,
        clock,
        _task_clock(requests),
    )


def cost_of(
    samples: EndpointSamples,
    members: sparse.csr_matrix | Floats,
    chosen: npt.NDArray[np.int64] | None = None,
) -> Ratios:
    """Cost per request in cpu_ns of each set of stacks, or of those `chosen` among them; `members`:
    (F, S), 1 where it is in it."""
    every = samples.weight.sum(axis=0)
    blamed = np.asarray(members @ samples.weight)
    blamed = blamed if chosen is None else blamed[chosen]
    share = host_ratios(blamed, every, samples.host, samples.window, samples.hosts, samples.span)
    return _product(share, samples.clock)


def _task_clock(rows: RequestWindows) -> float:
    """Mean thread CPU time per request past warm-up, ns."""
    requests = float(rows.requests[rows.warm].sum())
    return float(rows.task_clock_ns[rows.warm].sum()) / requests if requests else 0.0


def _calm(rows: StackWindows) -> npt.NDArray[np.bool_]:
    """Without windows in which workers waited for a core: waits there pass for CPU time."""
    calm: npt.NDArray[np.bool_] = ~rows.contended
    seen, every = float(rows.samples[calm].sum()), float(rows.samples.sum())
    return calm if seen >= max(CALM_MIN * every, SAMPLES_MIN) else np.ones_like(calm)


def _product(share: Ratios, clock: Ratios) -> Ratios:
    """share (F, H) x time per request (1, H); their errors by the delta method, wave by wave."""

    def waves_of(hosts: npt.NDArray[np.int64]) -> Floats:
        shares, times = share.waves_of(hosts), clock.waves_of(hosts)
        known = min(shares.shape[2], times.shape[2])
        waves: Floats = (
            shares[..., :known] * clock.mean[:, hosts, None]
            + times[..., :known] * share.mean[:, hosts, None]
        )
        return waves

    weight = np.where(clock.weight > 0, share.weight, 0.0)
    return Ratios(share.mean * clock.mean, waves_of, weight, share.windows)
