"""How long the phases are; the story itself is told end to end elsewhere."""

import pytest

from demo_stack.pace import warm_up_s
from demo_stack.story import FULL, SHORT
from demo_stack.traffic import RATE_RPS


def test_scaled_to_a_length():
    scaled = FULL.scaled(130)
    assert scaled.total_s == pytest.approx(130)
    phases = scaled.before_s + scaled.canary_s + scaled.after_s + scaled.fault_s
    assert phases == pytest.approx(130)
    assert scaled.before_s / scaled.fault_s == pytest.approx(FULL.before_s / FULL.fault_s)
    assert scaled.patience_s == FULL.patience_s


def test_short_is_shorter():
    assert SHORT.before_s < FULL.before_s
    assert SHORT.after_s < FULL.after_s
    assert SHORT.canary_s < FULL.canary_s
    assert SHORT.fault_s < FULL.fault_s


def test_fewer_requests_take_longer_to_warm_up():
    assert SHORT.with_warm_up(RATE_RPS) == SHORT
    slow = SHORT.with_warm_up(RATE_RPS / 2)
    longer_s = warm_up_s(RATE_RPS / 2) - warm_up_s(RATE_RPS)
    assert slow.total_s == pytest.approx(SHORT.total_s + 3 * longer_s)
    assert slow.fault_s == SHORT.fault_s
