"""Burn rates against the SRE workbook's numbers and against slow plain loops."""

import math
import random

import pytest

from alerting.burn import BURN_TIERS, Count, Tier, burn_rate, judge, scaled, window_ms

MONTH_S = 30 * 86_400
FULL = 1.0


def counts_of(bad_share: float, per_s: float, tiers: tuple[Tier, ...]) -> dict[int, Count]:
    """Steady traffic in every window."""
    windows = {s for tier in tiers for s in (tier.long_s, tier.short_s)}
    return {window_ms(s): Count(per_s * s * (1 - bad_share), per_s * s, FULL) for s in windows}


@pytest.mark.parametrize(
    ("tier", "budget_spent"), list(zip(BURN_TIERS, (0.02, 0.05, 0.10, 0.10), strict=True))
)
def test_the_tiers_spend_what_the_workbook_says(tier: Tier, budget_spent: float) -> None:
    assert tier.factor * tier.long_s / MONTH_S == pytest.approx(budget_spent)
    assert tier.short_s == tier.long_s / 12


@pytest.mark.parametrize(
    ("bad_share", "factor"),
    [(0.0144, 14.4), (0.0143, 6.0), (0.0059, 3.0), (0.0029, 1.0), (0.0009, None)],
)
def test_a_steady_burn_is_seen_by_the_fastest_tier_it_reaches(
    bad_share: float, factor: float | None
) -> None:
    burn = judge(counts_of(bad_share, 100, BURN_TIERS), 0.999, BURN_TIERS)
    assert (burn.tier.tier.factor if burn.tier else None) == factor
    assert burn.state == ("quiet" if factor is None else "burning")


@pytest.mark.parametrize("bad_share", [1.0, 0.1, 0.0288])
def test_detection_takes_as_long_as_the_workbook_says(bad_share: float) -> None:
    """(1 - SLO) / error ratio x factor x window, from the first bad request on."""
    objective, per_s, tier = 0.999, 10, BURN_TIERS[0]
    expected_s = (1 - objective) / bad_share * tier.factor * tier.long_s
    for second in range(0, 3_600, 1):
        long = Count(per_s * (tier.long_s - second * bad_share), per_s * tier.long_s, FULL)
        bad_s = min(second, tier.short_s)
        short = Count(per_s * (tier.short_s - bad_s * bad_share), per_s * tier.short_s, FULL)
        counts = {window_ms(tier.long_s): long, window_ms(tier.short_s): short}
        if judge(counts, objective, (tier,)).state == "burning":
            break
    assert second == pytest.approx(expected_s, abs=1)


def test_a_burn_that_is_over_is_not_one() -> None:
    tier = BURN_TIERS[0]
    counts = {3_600_000: Count(50_000, 60_000, FULL), 300_000: Count(5_000, 5_000, FULL)}
    assert judge(counts, 0.99, (tier,)).state == "quiet"


def test_silence_ends_no_alert_and_starts_none() -> None:
    tier = BURN_TIERS[0]
    counts = {3_600_000: Count(50_000, 60_000, FULL), 300_000: Count(0, 0, 0)}
    assert judge(counts, 0.99, (tier,)).state == "quiet"
    assert judge(counts, 0.99, (tier,), firing="page").state == "burning"


def test_no_data_and_too_little_data_are_states_of_their_own() -> None:
    tier = BURN_TIERS[0]
    assert judge({3_600_000: Count(0, 0, 0), 300_000: Count(0, 0, 0)}, 0.99, (tier,)).state == (
        "no data"
    )
    short = Count(0, 500, FULL)
    few = {3_600_000: Count(499, 999, 0.49), 300_000: short}
    assert judge(few, 0.99, (tier,)).state == "too little data"
    assert judge(few | {3_600_000: Count(499, 999, 0.5)}, 0.99, (tier,)).state == "burning"
    enough = judge(few | {3_600_000: Count(499, 1_000, 0.1)}, 0.99, (tier,))
    assert enough.state == "burning"
    assert enough.tier is not None and enough.tier.reason == "1000 requests in the window"


def test_four_errors_never_page_and_five_do() -> None:
    tier = BURN_TIERS[0]
    for bad, state in ((4, "quiet"), (5, "burning")):
        counts = {3_600_000: Count(20 - bad, 20, FULL), 300_000: Count(0, bad, FULL)}
        assert judge(counts, 0.9999, (tier,)).state == state


def test_the_poisson_test_agrees_with_a_slow_sum() -> None:
    tier = Tier(1.0, 60, 5, "ticket")
    rng = random.Random(7)
    seen = set()
    for _ in range(400):
        total = rng.randrange(500, 20_000)
        expected = 0.01 * total
        bad = round(expected + rng.uniform(0, 4) * math.sqrt(expected))
        counts = {60_000: Count(total - bad, total, FULL), 5_000: Count(0, 10, FULL)}
        surely = _poisson_tail(bad, expected) < 0.01
        wanted = "burning" if surely and bad >= max(5, expected) else "quiet"
        assert judge(counts, 0.99, (tier,)).state == wanted, (bad, total)
        seen.add(wanted)
    assert seen == {"burning", "quiet"}


def test_other_slo_windows_scale_the_alert_windows_and_keep_the_factors() -> None:
    hour = scaled(BURN_TIERS, 1 / 720)
    assert [(t.factor, round(t.long_s, 3), round(t.short_s, 3)) for t in hour] == [
        (14.4, 5, 0.417),
        (6.0, 30, 2.5),
        (3.0, 120, 10),
        (1.0, 360, 30),
    ]
    assert [t.factor * t.long_s / 3_600 for t in hour] == pytest.approx([0.02, 0.05, 0.1, 0.1])


def test_the_burn_rate_is_one_when_the_budget_lasts_exactly() -> None:
    assert burn_rate(Count(990, 1_000, FULL), 0.99) == pytest.approx(1)
    assert burn_rate(Count(0, 0, 0), 0.99) == 0


def _poisson_tail(events: int, mean: float) -> float:
    """P(X >= events), term by term."""
    below = sum(math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(events))
    return 1 - below
