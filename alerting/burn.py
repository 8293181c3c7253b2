"""Is an error budget burning? Multi-window, multi-burn-rate decisions from counts; pure.

The burn rate is the share of bad requests over the share that the objective allows: 1 spends the
whole budget in exactly one SLO window. A tier burns when the rate is reached in its long window (it
matters) and in its short one (it is still going on): Google's SRE workbook, chapter 5.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from scipy.special import pdtrc

__all__ = [
    "BAD_MIN",
    "BURN_TIERS",
    "Burn",
    "BurnState",
    "Count",
    "Tier",
    "TierBurn",
    "burn_rate",
    "judge",
    "scaled",
    "window_ms",
]

BurnState = Literal["burning", "quiet", "too little data", "no data"]

#: Fewer bad events than this never alert: low traffic does not page on one error.
BAD_MIN = 5
#: Evidence enough where the window is not half covered.
TOTAL_ENOUGH = 1_000


@dataclass(frozen=True, slots=True)
class Tier:
    """One pair of alert windows, s, and the burn rate that both must reach."""

    factor: float
    long_s: float
    short_s: float
    severity: str
    #: of the one-sided Poisson test that more than the budget was spent
    confidence: float = 0.99


#: For an SLO window of 30 days. The last tier asks for more certainty: its factor is the budget
#: itself, so the test alone keeps noise out, and it is looked at again and again as windows slide.
BURN_TIERS = (
    Tier(14.4, 3_600, 300, "page"),
    Tier(6.0, 21_600, 1_800, "page"),
    Tier(3.0, 86_400, 7_200, "ticket"),
    Tier(1.0, 259_200, 21_600, "ticket", confidence=0.999),
)


@dataclass(frozen=True, slots=True)
class Count:
    """Requests of one window. `covered`: the share of its time in which there was data, 0..1."""

    good: float
    total: float
    covered: float

    @property
    def bad(self) -> float:
        return self.total - self.good


@dataclass(frozen=True, slots=True)
class TierBurn:
    """What one tier says, with the numbers that it rests on."""

    tier: Tier
    state: BurnState
    burn_long: float
    burn_short: float
    long: Count
    short: Count
    #: why there was evidence enough, or not
    reason: str


@dataclass(frozen=True, slots=True)
class Burn:
    """All tiers together; `tier` is the fastest one that burns, or None."""

    state: BurnState
    tier: TierBurn | None
    tiers: tuple[TierBurn, ...]


def judge(
    counts: Mapping[int, Count], objective: float, tiers: Sequence[Tier], *, firing: str = ""
) -> Burn:
    """Judge all tiers. `counts`: by window length, ms. `firing`: the severity of the alert if it
    fires already, or empty.

    A firing alert goes on while a short window holds no request at all: silence is no recovery. But
    silence makes nothing graver.
    """
    judged = tuple(
        _judge_tier(
            tier,
            counts[window_ms(tier.long_s)],
            counts[window_ms(tier.short_s)],
            objective,
            firing == "page" or firing == tier.severity,
        )
        for tier in tiers
    )
    burning = next((one for one in judged if one.state == "burning"), None)
    if burning is not None:
        return Burn("burning", burning, judged)
    order: tuple[BurnState, ...] = ("quiet", "too little data")
    seen = {one.state for one in judged}
    return Burn(next((state for state in order if state in seen), "no data"), None, judged)


def scaled(tiers: Sequence[Tier], ratio: float) -> tuple[Tier, ...]:
    """The same tiers for an SLO window that is `ratio` times as long: factors stay."""
    return tuple(
        Tier(t.factor, t.long_s * ratio, t.short_s * ratio, t.severity, t.confidence) for t in tiers
    )


def burn_rate(count: Count, objective: float) -> float:
    """1: the budget is spent in exactly one SLO window. 0 without data."""
    return count.bad / count.total / (1 - objective) if count.total > 0 else 0.0


def window_ms(seconds: float) -> int:
    return max(1, round(seconds * 1000))


def _judge_tier(tier: Tier, long: Count, short: Count, objective: float, firing: bool) -> TierBurn:
    burn_long, burn_short = burn_rate(long, objective), burn_rate(short, objective)

    def verdict(state: BurnState, reason: str) -> TierBurn:
        return TierBurn(tier, state, burn_long, burn_short, long, short, reason)

    if long.total <= 0:
        return verdict("no data", "no requests in the window")
    if long.covered < 0.5 and long.total < TOTAL_ENOUGH:
        return verdict(
            "too little data",
            f"data in {long.covered:.0%} of the window and {long.total:.0f} requests",
        )
    why = (
        f"data in {long.covered:.0%} of the window"
        if long.covered >= 0.5
        else f"{long.total:.0f} requests in the window"
    )
    factor = tier.factor * (1 - 1e-9)  # 1 - 0.99 is not quite 0.01
    going_on = burn_short >= factor or (firing and short.total <= 0)
    if burn_long < factor or not going_on:
        return verdict("quiet", why)
    if long.bad < BAD_MIN:
        return verdict("quiet", f"{long.bad:.0f} bad requests are too few to say")
    if not _more_than(long.bad, (1 - objective) * long.total, tier.confidence):
        return verdict("quiet", "within what chance does at the objective")
    return verdict("burning", why)


def _more_than(events: float, expected: float, confidence: float) -> bool:
    """Whether a Poisson count with this mean reaches `events` less often than 1 - confidence."""
    return bool(pdtrc(round(events) - 1, expected) < 1 - confidence)
