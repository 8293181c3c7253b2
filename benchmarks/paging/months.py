"""Simulated months: pages without a cause, and planted burns that page nobody.

Requests of a minute are Poisson around a daily wave, failures binomial at exactly the objective of
99.99%. Burns are planted a day apart or more, so that each has quiet before it: an outage (all
requests fail for 10 minutes), a fast burn (10% for an hour), a slow burn (0.5% for 12 hours).
"""

from dataclasses import dataclass

import numpy as np

from alerting.burn import BURN_TIERS
from alerting.replay import Fired, replay

__all__ = ["Month", "RATES", "simulate"]

OBJECTIVE = 0.9999
STEP_S = 60.0
DAY = 24 * 60
#: Burns need 30 days of room of their own.
DAYS = 30
RATES = (0.1, 10.0, 1_000.0)
#: Kind of burn -> (share of failures, minutes).
BURNS = {"outage": (1.0, 10), "fast": (0.1, 60), "slow": (0.005, 720)}
#: A page belongs to a burn until its longest paging window is over.
AFTER = 6 * 60


@dataclass(frozen=True, slots=True)
class Month:
    """One rate: pages and tickets without a cause in quiet months, burns that nobody was paged of
    while they lasted (`missed`, by kind), pages beside the burns in the months that have them."""

    per_s: float
    months: int
    false_pages: int
    false_tickets: int
    burns: int
    missed: tuple[str, ...]
    stray_pages: int


def simulate(per_s: float, months: int, seed: int) -> Month:
    """`months` quiet months, and one with ten burns of each kind, cut into three months of ten."""
    rng = np.random.default_rng(seed)
    quiet = [_fired(per_s, np.full(DAYS * DAY, 1 - OBJECTIVE), rng) for _ in range(months)]
    missed: list[str] = []
    stray = 0
    kinds = [kind for kind in BURNS for _ in range(10)]
    rng.shuffle(kinds)
    for third in range(3):
        share = np.full(DAYS * DAY, 1 - OBJECTIVE)
        planted = [
            (kind, int(day * 3 * DAY + rng.integers(0, DAY)))
            for day, kind in enumerate(kinds[third * 10 : third * 10 + 10])
        ]
        for kind, at in planted:
            failing, minutes = BURNS[kind]
            share[at : at + minutes] = failing
        pages = [step for one in _fired(per_s, share, rng) for step in one.pages]
        missed += [
            kind for kind, at in planted
            if not any(at <= step < at + BURNS[kind][1] for step in pages)
        ]  # fmt: skip
        stray += sum(
            not any(at <= step < at + BURNS[kind][1] + AFTER for kind, at in planted)
            for step in pages
        )
    return Month(
        per_s,
        months,
        sum(len(one.pages) for some in quiet for one in some),
        sum(not one.pages for some in quiet for one in some),
        len(kinds),
        tuple(missed),
        stray,
    )


def _fired(per_s: float, share: "np.ndarray", rng: np.random.Generator) -> list[Fired]:
    minutes = np.arange(len(share))
    wave = 1 + 0.6 * np.sin(2 * np.pi * minutes / DAY)
    total = rng.poisson(per_s * STEP_S * wave).astype(float)
    bad = rng.binomial(total.astype(np.int64), share)
    return replay(
        total - bad,
        total,
        step_s=STEP_S,
        objective=OBJECTIVE,
        tiers=BURN_TIERS,
        keep_firing_s=300.0,
    )
