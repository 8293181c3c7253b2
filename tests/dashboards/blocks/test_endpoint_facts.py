import pytest

from dashboards.blocks.endpoint_facts import endpoint_facts, time_parts
from dashboards.urls import Query
from tests.dashboards.reading import links, text
from tests.dashboards.records import endpoint_row


def test_facts_and_where_to_look_next():
    facts = endpoint_facts([endpoint_row()], Query("shop", start="-6h"), "r1", "r2")
    shown = text(facts)
    for part in ("6.83 ms CPU", "12.3/s", "15.4 ms", "1.25% (45)", "Compare r2 with r1"):
        assert part in shown
    flame, compare, difference = links(facts)
    assert flame.startswith("/flame?") and "release=r2" in flame and "from=-6h" in flame
    assert compare.startswith("/compare?") and "a=release%3Ar1&b=release%3Ar2" in compare
    assert difference.startswith("/flame?") and "b=release%3Ar2" in difference


def test_a_first_release_has_nothing_to_compare_with():
    assert len(links(endpoint_facts([endpoint_row()], Query(), "", "r1"))) == 1


def test_units_stand_beside_each_other():
    rows = [endpoint_row(), endpoint_row(cost_unit="instructions", cost=6.1e7)]
    shown = text(endpoint_facts(rows, Query(), "", "r1"))
    assert "6.83 ms CPU" in shown and "61 M instr." in shown


def test_time_that_no_part_explains_is_waiting():
    parts = time_parts(endpoint_row())
    assert sum(parts.values()) == pytest.approx(10.0)
    assert parts["waiting"] == pytest.approx(0.6)
    assert time_parts(endpoint_row(wall_ms_mean=1.0))["waiting"] == 0.0
