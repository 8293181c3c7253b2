"""A profiler that is already active in the process wins over a deep profile."""

import cProfile
import sys

import pytest

from dynoscope_probe import profiled
from tests.probe.reading import read_rings
from tests.probe.test_profiled import answered, branch, leaf, plain


@pytest.fixture(autouse=True)
def every_request(monkeypatch):
    monkeypatch.setenv("DYNOSCOPE_DEEP_RATE", "1")
    yield
    assert sys.getprofile() is None
    assert profiled._running == {}


@pytest.fixture
def at_home_again():
    yield
    sys.setprofile(None)


@pytest.mark.parametrize("kind", ["function", "cProfile"])
def test_a_profiler_that_is_active_wins(ring_dir, at_home_again, kind):
    events = []
    own = cProfile.Profile()
    if kind == "function":
        sys.setprofile(lambda *event: events.append(event[1]))
    else:
        own.enable()
    before = sys.getprofile()
    response = answered(plain)
    assert sys.getprofile() is before
    sys.setprofile(None)
    own.disable()
    assert response == b"plain"
    assert len(events) > 10 or any(one.callcount == 7 for one in own.getstats())
    (read,) = read_rings(ring_dir)
    assert read.function_costs == []
    assert read.records[0]["unit"] == 1
    assert read.counters["profiles_refused"] == 1


def test_a_profiler_that_the_application_turns_on_keeps_what_it_sees(ring_dir):
    own = cProfile.Profile()

    def profiling(environ, start_response):
        leaf()
        own.enable()
        branch()
        return [b"first"]

    def further(environ, start_response):
        branch()
        own.disable()
        return [b"second"]

    assert answered(profiling) == b"first"
    before: object = sys.getprofile()
    assert before is own
    assert answered(further) == b"second"
    assert sys.getprofile() is None
    assert {one.callcount for one in own.getstats() if one.code is leaf.__code__} == {14}
    (read,) = read_rings(ring_dir)
    assert read.function_costs == []
    assert read.counters["profiles_refused"] >= 1
    answered(plain)
    assert read_rings(ring_dir)[0].function_costs == []


def test_a_profiler_that_the_application_turns_on_and_off_is_no_part_of_it(ring_dir):
    own = cProfile.Profile()

    def profiling(environ, start_response):
        own.runcall(branch)
        return [b"answer"]

    assert answered(profiling) == b"answer"
    assert {one.callcount for one in own.getstats() if one.code is leaf.__code__} == {7}
    assert read_rings(ring_dir)[0].function_costs == []
