"""What a fleet that runs a made-up service would measure: hosts differ, noise is correlated."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from profiler.calltree import Stack
from profiler.measured import RequestWindows, SideData, StackWindows

__all__ = ["ENDPOINT", "OTHER_STACKS", "Fleet", "oracle_error_ns", "power", "side"]

Floats = npt.NDArray[np.float64]

ENDPOINT, OTHER = "GET /feed/", "GET /other/"
OTHER_STACKS = (
    Stack(("app.other:view",), (0,)),
    Stack(("app.other:view", "app.other:load"), (0, 0)),
)
OTHER_NS = np.array([2e6, 1e6])
SAMPLE_S = 0.05


@dataclass(frozen=True, slots=True)
class Fleet:
    """Spreads are relative. `speed` (H,) stays with the hosts; the rest is drawn anew each side."""

    speed: Floats
    windows: int = 30
    samples: int = 200
    """on-CPU samples of a host in a window"""
    requests: float = 150.0
    correlation: float = 0.5
    """of a window with the one before it"""
    load_spread: float = 0.03
    """of all code of a host, window by window"""
    code_spread: float = 0.15
    """of each place in the call tree, window by window"""
    host_spread: float = 0.005
    """of each host's cost, side by side: caches, neighbours, data"""
    young: int = 3
    """windows of warm-up on side b"""


def side(
    label: str,
    fleet: Fleet,
    cost_ns: Floats,
    rng: np.random.Generator,
    *,
    traffic: float = 1.0,
    other: float = 0.3,
    is_young: bool = False,
) -> SideData:
    """One side: `cost_ns` (S,) per request of ENDPOINT, then OTHER_STACKS. `other`: requests of
    OTHER for each of ENDPOINT."""
    hosts, windows = len(fleet.speed), fleet.windows
    shift = np.exp(rng.normal(0, fleet.host_spread, (hosts, 1)))
    load = (
        fleet.speed[:, None] * shift * (1 + _waves(fleet, (hosts, windows), fleet.load_spread, rng))
    )
    warm = np.arange(windows) >= (fleet.young if is_young else 0)
    code = np.exp(_waves(fleet, (len(cost_ns), hosts, windows), fleet.code_spread, rng))
    costs = cost_ns[:, None, None] * code
    mean_ns = costs.sum(axis=0) * load * np.where(warm, 1.0, 1.6)
    counts = [rng.poisson(fleet.requests * traffic * by, (hosts, windows)) + 1 for by in (1, other)]
    total = rng.gamma(counts[0] * 4, mean_ns / 4)
    others = rng.gamma(counts[1] * 4, OTHER_NS.sum() * load / 4)
    rows = [_requests(ENDPOINT, counts[0], total, warm), _requests(OTHER, counts[1], others, warm)]
    requests = RequestWindows(*(np.concatenate(columns) for columns in zip(*rows, strict=True)))
    shares = (costs / costs.sum(axis=0)).transpose(1, 2, 0)
    seen = rng.multinomial(fleet.samples, shares).transpose(2, 0, 1)
    small = rng.multinomial(
        fleet.samples // 8, np.tile(OTHER_NS / OTHER_NS.sum(), (hosts, windows, 1))
    )
    taken = np.concatenate([seen, small.transpose(2, 0, 1)])
    return SideData(label, requests, _stacks(taken, len(cost_ns)), {ENDPOINT: 50.0, OTHER: 20.0})


def oracle_error_ns(fleet: Fleet, cost_ns: Floats, members: npt.NDArray[np.bool_]) -> float:
    """True standard error of the rise of the cost that ends in `members` (S,), to first order.

    The estimate is share x clock on each host: binomial samples of a share that wanders with the
    code's waves, and a clock that wanders with the load, the requests and the host's own shift; a
    wave's mean over T windows has variance s^2 (1 + r) / (1 - r) / T.
    """
    hosts, total = len(fleet.speed), float(cost_ns.sum())
    share = float(cost_ns[members].sum()) / total
    inflation = (1 + fleet.correlation) / (1 - fleet.correlation)
    relative = cost_ns / total
    toward = np.where(members, 1 - share, -share) * relative
    wander = fleet.code_spread**2 * inflation
    of_share = (share * (1 - share) / fleet.samples + wander * (toward**2).sum()) / fleet.windows
    requests = 0.25 / fleet.requests
    of_clock = (
        fleet.load_spread**2 * inflation + requests + wander * (relative**2).sum()
    ) / fleet.windows + fleet.host_spread**2
    variance = total**2 * (of_share + share**2 * of_clock)
    speed = float((fleet.speed**2).mean())
    return float(np.sqrt(2 * variance * speed / hosts))


def _waves(fleet: Fleet, shape: tuple[int, ...], spread: float, rng: np.random.Generator) -> Floats:
    """Autoregressive of order 1 along the last axis, with standard deviation `spread`."""
    fresh = rng.normal(0, spread * np.sqrt(1 - fleet.correlation**2), shape)
    fresh[..., 0] /= np.sqrt(1 - fleet.correlation**2)
    for at in range(1, shape[-1]):
        fresh[..., at] += fleet.correlation * fresh[..., at - 1]
    return fresh


def _requests(
    endpoint: str, counts: npt.NDArray[np.int64], total: Floats, warm: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.generic], ...]:
    hosts, windows = counts.shape
    cells = counts.size
    names = np.repeat(np.array([f"web-{number:02}" for number in range(hosts)]), windows)
    window = np.tile(np.arange(windows), hosts)
    cost = total.reshape(-1)
    text = (np.full(cells, endpoint), np.full(cells, "http"), np.full(cells, "cpu_ns"))
    sums = (counts.reshape(-1).astype(float), np.zeros(cells), cost, cost)
    return (names, window, *text, *sums, np.tile(warm, hosts), np.full(cells, np.nan))


def _stacks(taken: npt.NDArray[np.int64], first_other: int) -> StackWindows:
    stack, host, window = taken.nonzero()
    seen = taken[stack, host, window].astype(float)
    names = np.array([f"web-{number:02}" for number in range(taken.shape[1])])
    endpoints = np.where(stack >= first_other, OTHER, ENDPOINT)
    calm = np.zeros(len(seen), dtype=bool)
    return StackWindows(names[host], window, endpoints, stack, seen * SAMPLE_S, seen, calm)


def power(rise_ns: float, error_ns: float, p_max: float) -> float:
    """Of the two-sided z test that knows the true error."""
    critical = stats.norm.isf(p_max / 2)
    return float(stats.norm.sf(critical - rise_ns / error_ns))
