"""The gate on a processor that has counters: a planted rise is found, a neutral edit is none."""

import pytest

from profiler.gate.records import Budget, Counted, Side
from profiler.gate.verdict import compare_sides

pytestmark = pytest.mark.pmu

ENDPOINT = "GET /items/"
BUDGET = {ENDPOINT: Budget(0.01)}


@pytest.fixture(scope="session")
def gated(measured):
    return measured["gate"]


def compared(gated, name):
    base, head = (
        Side(one, gated["unit"], "", {}, (Counted(ENDPOINT, tuple(gated["versions"][one])),))
        for one in ("base", name)
    )
    (verdict,) = compare_sides(base, head, BUDGET).endpoints
    return verdict


def test_it_takes_the_hardware_counter_by_itself(gated):
    assert (gated["counter"], gated["unit"]) == ("instructions", "instructions")
    assert not [words for words in gated["said"] if "no hardware counter" in words]


def test_a_planted_rise_is_found(gated):
    dearer = compared(gated, "dearer")
    assert dearer.verdict == "regression"
    assert 0.4 < dearer.rise < 0.9


def test_an_edit_that_changes_nothing_is_no_regression(gated):
    """Two layouts, which is all that an emulated machine has time for, seldom suffice to pass."""
    found = compared(gated, "neutral")
    assert found.verdict in ("pass", "unstable"), found
    assert abs(found.rise) < 0.005
