"""How sure a comparison must be when it is looked at again and again as data grows; pure.

A 95% interval holds for one look. Someone who looks every ten seconds sees chance leave it sooner
or later. A confidence sequence holds for all looks at once: Robbins' normal mixture (1970), here as
the factor by which a fixed interval must be widened. It is wide early, narrowest (about twice the
fixed one) once there is some data, and grows without bound, but ever more slowly.
"""

from math import log, sqrt

__all__ = ["ALPHA", "believed_low", "widening"]

#: Chance that a release that changes nothing ever alerts, over all looks and all its endpoints.
ALPHA = 0.01
#: The amount of data, in requests, at which the sequence is made tightest.
TUNED_AT = 300.0
Z_95 = 1.959964


def widening(requests: float, comparisons: int, *, alpha: float = ALPHA) -> float:
    """By what to widen the half width of a 95% interval. `requests`: effective, of both sides."""
    if requests <= 0:
        return float("inf")
    share = alpha / max(1, comparisons)
    ratio = TUNED_AT / requests
    return sqrt((1 + ratio) * log((1 + 1 / ratio) / share**2)) / Z_95


def believed_low(
    low: float, chance: float, requests_a: float, requests_b: float, comparisons: int
) -> float:
    """The lower end of the interval that holds for all looks and comparisons; nan if unknown.

    `chance`: the part of the interval's half width that chance makes. It alone is widened: what
    the machine adds to one look it adds to all.
    """
    if requests_a <= 0 or requests_b <= 0:
        return float("nan")
    effective = 1 / (1 / requests_a + 1 / requests_b)
    return low - chance * (widening(effective, comparisons) - 1)
