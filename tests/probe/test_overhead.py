import itertools
import sys
from time import thread_time_ns

import pytest

from dynoscope_probe.overhead import (
    BUILTIN,
    GENERATOR,
    METHOD,
    PYTHON,
    Overhead,
    kind_of,
    overhead_of,
    readings_of,
)


def generator():
    yield


async def coroutine():
    pass


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (kind_of.__code__, PYTHON),
        (generator.__code__, GENERATOR),
        (coroutine.__code__, GENERATOR),
        ("<built-in method builtins.len>", BUILTIN),
        ("<method 'append' of 'list' objects>", METHOD),
    ],
)
def test_kinds(code, kind):
    assert kind_of(code) == kind


def test_a_timer_that_counts_its_readings_gives_the_readings_per_call():
    """A call is read twice: one step between is the callee's, one is the caller's."""
    overhead = overhead_of(readings_of(itertools.count().__next__))
    assert overhead.inside == pytest.approx((1, 1, 1, 1), rel=0.01)
    assert overhead.around == pytest.approx((1, 1, 1, 1), rel=0.01)
    assert overhead.inside_per_bit == overhead.around_per_bit == 0
    assert overhead.slowdown <= 2


def test_on_the_threads_clock_every_kind_costs_something():
    overhead = overhead_of(readings_of(thread_time_ns))
    assert len(overhead.inside) == len(overhead.around) == 4
    assert all(cost > 0 for cost in overhead.inside + overhead.around)
    assert 1 <= overhead.slowdown < 20
    assert sys.getprofile() is None


def test_the_search_in_the_profilers_trees_grows_with_the_entropy_of_the_calls():
    overhead = Overhead((100.0,) * 4, (200.0,) * 4, 5.0, 10.0, 1.0)
    assert overhead.among([70]).inside == (100,) * 4
    spread = overhead.among([7, 7, 7, 7, 0])
    assert spread.inside == (110,) * 4
    assert spread.around == (220,) * 4
    assert overhead.among([]).around == (200,) * 4
