"""Which part of a request's time is named as the cause."""

from alerting.cause import _grew
from collector.store.slo_reads import TimeByPart

CALM = [TimeByPart(120.0, 35.0 + n % 3, 12.7, 19.0 + n % 3, 2.4, 0.0) for n in range(12)]


def slow(db_ms: float, cpu_ms: float = 12.7) -> TimeByPart:
    return TimeByPart(3.0, db_ms + cpu_ms + 3.3, cpu_ms, db_ms, 2.4, 0.0)


def test_what_nearly_all_of_the_rise_is_is_named_on_few_requests() -> None:
    (grown,) = _grew(CALM, [slow(20), slow(520), slow(21)])
    assert grown.part == "db_ms"
    assert grown.low_ms < 0 < grown.high_ms


def test_a_smaller_part_is_named_only_beyond_chance() -> None:
    by_chance = [slow(20, 13), slow(320, 13), slow(20, 200), slow(21, 13)]
    assert _grew(CALM, by_chance) == ()
    sure = [slow(120 + n, 113) for n in range(6)]
    assert {one.part for one in _grew(CALM, sure)} == {"db_ms", "cpu_ms"}


def test_no_rise_has_no_cause() -> None:
    assert _grew(CALM, CALM) == ()
