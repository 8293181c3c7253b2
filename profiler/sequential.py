"""Looking several times, testing many things, and still being wrong seldom enough.

Looks are planned: look k of a canary that lasts T is at the share t_k of T. The error rate alpha is
spent over them as alpha * t^2 (Lan and DeMets 1983, Biometrika 70:659; the power family of Kim and
DeMets 1987, Biometrika 74:149): look k may reject what is true with probability alpha * (t_k^2 -
t_(k-1)^2). These add up to alpha, so by Bonferroni's inequality all looks together keep it, however
they hang together: hosts that differ for good, windows that are correlated. What is tested at one
look shares its part by Holm's procedure (Holm 1979, Scand. J. Stat. 6:65).
"""

from collections.abc import Sequence

import numpy as np

__all__ = ["holm", "spending"]

POWER = 2


def spending(shares: Sequence[float], alpha: float) -> list[float]:
    """What each look may spend of alpha; `shares`: of the whole time, rising to 1 at the last."""
    spent = [alpha * share**POWER for share in (0.0, *shares)]
    return [now - before for before, now in zip(spent, spent[1:], strict=False)]


def holm(p_values: Sequence[float], level: float) -> list[bool]:
    """Which hypotheses are rejected, with at most `level` for rejecting any that is true; nan:
    not tested."""
    values = np.array(p_values, dtype=float)
    rejected = np.zeros(len(values), dtype=bool)
    left = int((~np.isnan(values)).sum())
    for at in np.argsort(values)[:left]:
        if values[at] > level / left:
            break
        rejected[at] = True
        left -= 1
    return [bool(one) for one in rejected]
