"""How long the phases are; the story itself is told end to end elsewhere."""

import pytest

from demo_stack.story import FULL, SHORT


def test_scaled_to_a_length():
    scaled = FULL.scaled(130)
    assert scaled.before_s + scaled.after_s + scaled.fault_s == pytest.approx(130)
    assert scaled.before_s / scaled.fault_s == pytest.approx(FULL.before_s / FULL.fault_s)
    assert scaled.patience_s == FULL.patience_s


def test_short_is_shorter():
    assert SHORT.before_s < FULL.before_s
    assert SHORT.after_s < FULL.after_s
    assert SHORT.fault_s < FULL.fault_s
