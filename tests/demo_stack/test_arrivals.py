"""The plan of the traffic: the same for a seed, and shaped as promised."""

from collections import Counter

import pytest

from demo_stack.arrivals import MIX, SEEDED_MEDIA, SEEDED_USERS, UPLOADS, rising, schedule


def test_same_seed_same_plan():
    assert list(schedule(3, 40, 60)) == list(schedule(3, 40, 60))
    assert list(schedule(3, 40, 60)) != list(schedule(4, 40, 60))


def test_a_longer_plan_begins_with_the_shorter():
    short, long = list(schedule(3, 40, 20)), list(schedule(3, 40, 60))
    assert long[: len(short)] == short


def test_arrivals_are_poisson_at_the_rate():
    times = [arrival.at_s for arrival in schedule(1, 50, 400)]
    assert times == sorted(times)
    assert times[0] > 0
    assert times[-1] < 400
    # 20,000 expected: five standard deviations are 707.
    assert abs(len(times) - 20_000) < 707
    gaps = [late - early for early, late in zip(times, times[1:], strict=False)]
    mean = sum(gaps) / len(gaps)
    spread = (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5
    assert spread / mean == pytest.approx(1.0, abs=0.05)


def test_mix_and_bounds():
    plan = list(schedule(2, 50, 400))
    counts = Counter(arrival.kind for arrival in plan)
    for kind, share in MIX.items():
        assert counts[kind] / len(plan) == pytest.approx(share, abs=0.02)
    assert sum(MIX.values()) == pytest.approx(1)
    for arrival in plan:
        assert 1 <= arrival.user <= SEEDED_USERS
        last = {"upload": UPLOADS, "profile": SEEDED_USERS, "follow": SEEDED_USERS}
        assert 1 <= arrival.subject <= last.get(arrival.kind, SEEDED_MEDIA)


@pytest.mark.parametrize(("start", "end"), [(20, 80), (80, 20), (50, 50)])
def test_a_rising_rate_sends_the_same_requests_at_a_rate_in_a_straight_line(start, end):
    plan = list(rising(5, start, end, 400))
    times = [arrival.at_s for arrival in plan]
    assert times == sorted(times) and times[0] > 0 and times[-1] < 400
    for first, last in ((0, 100), (150, 250), (300, 400)):
        mean = start + (end - start) * (first + last) / 2 / 400
        count = sum(first <= at < last for at in times)
        assert count == pytest.approx(100 * mean, abs=5 * (100 * mean) ** 0.5)
    steady = schedule(5, start, 400)
    pairs = zip(plan, steady, strict=False)
    assert all((a.kind, a.user, a.subject) == (b.kind, b.user, b.subject) for a, b in pairs)
