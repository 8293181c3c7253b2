"""Two releases at the same minutes: what the machine does to both cancels out.

Before and after a deploy the machine may differ in ways that nothing measured tells. While a
release is rolled out host by host, both run at once: then one host's cost over the other's, against
the same ratio while both ran the same release, is the release's (a difference of differences in
logarithms; Angrist and Pischke 2009, Mostly Harmless Econometrics, 5.2). For two hosts that is a
regression of the log ratio y on who runs what, x in -1, 0, 1, over windows of time.
"""

import numpy as np
import numpy.typing as npt
from scipy import stats

from profiler.load import LoadWindows
from profiler.records import Interval

__all__ = ["at_the_same_minutes"]

Floats = npt.NDArray[np.float64]

CONFIDENCE = 0.95
#: Windows with one release on each host, and with the same on both, below which nothing is said.
APART_MIN = 4
ALIKE_MIN = 8
#: Requests of a host in a window below which its cost is left out.
REQUESTS_MIN = 2


def at_the_same_minutes(a: LoadWindows, b: LoadWindows, hosts: int) -> Interval | None:
    """Relative change of the cost per request from a to b; None where it cannot be told so.

    Two hosts only: with more, the hosts themselves are the unit of error.
    """
    if hosts != 2:
        return None
    ratio, code, weight = _paired(a, b)
    if (code != 0).sum() < APART_MIN or (code == 0).sum() < ALIKE_MIN:
        return None
    centre = ratio @ weight / weight.sum(), code @ weight / weight.sum()
    about, along = ratio - centre[0], code - centre[1]
    spread = float(weight @ along**2)
    slope = float((weight * along) @ about) / spread
    residual = about - slope * along
    freedom = len(ratio) - 2
    variance = float(weight @ residual**2) / freedom / spread * _inflation(residual)
    reach = float(stats.t.ppf(0.5 + CONFIDENCE / 2, freedom)) * np.sqrt(variance)
    return Interval(*(float(np.expm1(slope + by)) for by in (0.0, -reach, reach)))


def _paired(a: LoadWindows, b: LoadWindows) -> tuple[Floats, Floats, Floats]:
    """Per window with both hosts: log of host 0's cost over host 1's, x, weight; by time.

    A window in which a host ran both releases says nothing of either and is left out.
    """
    cells: dict[int, dict[int, list[tuple[int, float, float]]]] = {}
    for code, side in enumerate((a, b)):
        rows = zip(side.window, side.host, side.cost, side.requests, strict=True)
        for window, host, cost, requests in rows:
            cells.setdefault(int(window), {}).setdefault(int(host), []).append(
                (code, float(cost), float(requests))
            )
    found = []
    for _, by_host in sorted(cells.items()):
        if any(len(seen) != 1 for seen in by_host.values()) or len(by_host) != 2:
            continue
        (code_0, cost_0, n_0), (code_1, cost_1, n_1) = by_host[0][0], by_host[1][0]
        if min(n_0, n_1) >= REQUESTS_MIN and min(cost_0, cost_1) > 0:
            log_ratio = np.log(cost_0 / n_0) - np.log(cost_1 / n_1)
            found.append((log_ratio, code_0 - code_1, 1 / (1 / n_0 + 1 / n_1)))
    columns = np.array(found, dtype=np.float64).reshape(-1, 3)
    return columns[:, 0], columns[:, 1], columns[:, 2]


def _inflation(residual: Floats) -> float:
    """What slow movements add to a variance: (1 + r) / (1 - r), r the lag 1 correlation, 0..0.9."""
    total = float(residual @ residual)
    lagged = float(residual[1:] @ residual[:-1]) / total if total > 0 else 0.0
    correlation = min(max(lagged, 0.0), 0.9)
    return (1 + correlation) / (1 - correlation)
