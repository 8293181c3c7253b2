"""What is planted does nothing, at the price that was asked for."""

import dis

import pytest

from benchmarks.gating.planting import Filler, Price, filler_for, planted, price_of
from tests.benchmarks.gating.test_edits import SOURCE, outcome

PRICE = Price(statement=8.0, loop=700.0, turn=11.0)


def test_it_stands_after_the_docstring_and_does_nothing() -> None:
    text = planted(SOURCE, "both", Filler(3, 7))
    assert outcome(text) == outcome(SOURCE)
    assert text.count("_turn = 0") == 3
    assert text.count("for _turn in bytes(7):") == 1
    assert text.index("Area and scale") < text.index("_turn") < text.index("found = area")
    with pytest.raises(ValueError, match="no function nothing"):
        planted(SOURCE, "nothing", Filler(1))


def test_an_assignment_is_two_instructions_of_the_interpreter() -> None:
    names: dict[str, object] = {}
    exec(planted("def nothing():\n    pass\n", "nothing", Filler(50)), names)
    stores = [one for one in dis.get_instructions(names["nothing"]) if one.opname == "STORE_FAST"]
    assert len(stores) == 50


@pytest.mark.parametrize("calls", [1, 500])
def test_prices_are_found_from_what_requests_cost(calls: int) -> None:
    found = price_of(lambda filler: 20e6 + calls * PRICE.of(filler), calls)
    for name in ("statement", "loop", "turn"):
        assert getattr(found, name) == pytest.approx(getattr(PRICE, name), rel=1e-4)


@pytest.mark.parametrize("wanted", [3.0, 8.0, 200.0, 705.0, 720.0, 5_000.0, 2e6])
def test_a_filler_costs_what_is_wanted_to_half_an_assignment(wanted: float) -> None:
    filler = filler_for(wanted, PRICE)
    assert PRICE.of(filler) == pytest.approx(wanted, abs=max(4.0, 8.0 - wanted))
