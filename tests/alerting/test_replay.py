"""A month at once, against the same judgement step by step."""

from dataclasses import replace

import numpy as np
import pytest

from alerting.alerts import Alert, Check, Finding
from alerting.burn import BURN_TIERS, Count, judge, window_ms
from alerting.lifecycle import LifeCycle
from alerting.replay import Fired, replay

OBJECTIVE = 0.999
KEEP_S = 300.0


def step_by_step(good, total, step_s: float, tiers) -> list[Fired]:
    """`judge` and the life cycle at the end of every step, in plain loops."""
    cycle, alert = LifeCycle(), None
    fired: list[Fired] = []
    windows = {window_ms(s) for tier in tiers for s in (tier.long_s, tier.short_s)}
    for step in range(len(total)):
        counts = {}
        for window in windows:
            n = max(1, round(window / 1000 / step_s))
            inside = slice(max(0, step + 1 - n), step + 1)
            covered = float(np.sum(total[inside] > 0)) / n
            counts[window] = Count(float(good[inside].sum()), float(total[inside].sum()), covered)
        burn = judge(counts, OBJECTIVE, tiers, firing=alert.severity if alert else "")
        findings: tuple[Finding, ...] = ()
        if burn.tier is not None:
            tier = burn.tier.tier
            findings = (Finding("s", (), tier.severity, {}, str(tier.factor), step),)
        unknown = frozenset({Finding("s", (), "page", {}, "", 0).id})
        check = Check(
            "s", findings, unknown if burn.state == "no data" else frozenset(), "", KEEP_S
        )
        for changed in cycle.step([alert] if alert else [], [check], round(step * step_s * 1000)):
            pages = changed.severity == "page" and changed.state == "firing"
            if changed.state == "resolved":
                fired[-1] = replace(fired[-1], end=step)
            elif alert is None:
                fired.append(Fired(step, None, changed.severity, float(changed.summary)))
            if pages:
                told = (*fired[-1].pages, step)
                fired[-1] = replace(fired[-1], severity="page", pages=told)
            alert = None if changed.state == "resolved" else changed
    assert alert is None or isinstance(alert, Alert)
    return fired


@pytest.mark.parametrize("seed", range(6))
def test_the_same_as_step_by_step(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, step_s = 1_500, 60.0
    total = rng.poisson(rng.choice([0.5, 6, 60]), n).astype(float)
    share = np.full(n, 0.0005)
    for _ in range(6):
        begin = rng.integers(0, n)
        share[begin : begin + rng.integers(2, 200)] = rng.choice([0.003, 0.02, 0.5])
    for _ in range(3):  # nothing comes at all
        begin = rng.integers(0, n)
        total[begin : begin + rng.integers(5, 120)] = 0
    good = total - rng.binomial(total.astype(int), share)
    found = replay(
        good, total, step_s=step_s, objective=OBJECTIVE, tiers=BURN_TIERS, keep_firing_s=KEEP_S
    )
    assert found == step_by_step(good, total, step_s, BURN_TIERS)
    if seed == 0:
        assert found


def test_nothing_burns_nothing_fires() -> None:
    total = np.full(1_000, 10.0)
    assert replay(total, total, step_s=60, objective=0.99, tiers=BURN_TIERS, keep_firing_s=0) == []
