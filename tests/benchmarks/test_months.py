"""Simulated months: the seed is fixed, so what is found is, too."""

import pytest

from benchmarks.paging.months import RATES, simulate


@pytest.mark.parametrize("per_s", RATES)
def test_no_page_without_a_cause_and_no_burn_without_a_page(per_s: float) -> None:
    month = simulate(per_s, months=1, seed=3)
    assert (month.false_pages, month.stray_pages, month.missed) == (0, 0, ())
    assert month.burns == 30
