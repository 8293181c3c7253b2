import pytest

from dashboards.figures.waterfall import waterfall
from profiler.records import FleetChange
from tests.dashboards.records import EVIL


def test_the_steps_lead_from_a_to_b():
    change = FleetChange("cpu_ns", 1.0e9, 1.5e9, 0.1e9, -0.05e9, 0.45e9)
    (trace,) = waterfall(change, "r1", "r2", "light").data
    assert sum(trace.y[:-1]) == pytest.approx(1.5)
    assert list(trace.text) == ["1 cores", "+0.1 cores", "−0.05 cores", "+0.45 cores", "1.5 cores"]


def test_other_units_are_rates():
    change = FleetChange("instructions", 1e9, 2e9, 1e9, 0.0, 0.0)
    figure = waterfall(change, EVIL, "r2", "dark")
    assert figure.layout.yaxis.title.text == "instructions/s"
    assert figure.data[0].text[1] == "+1 G instr./s"
    assert "<" not in figure.data[0].x[0]


def test_equal_names_stay_two_bars():
    change = FleetChange("cpu_ns", 1e9, 1e9, 0.0, 0.0, 0.0)
    assert len(set(waterfall(change, "r1", "r1", "light").data[0].x)) == 5
