import random

import pytest

from benchmarks.measuring.paired import differences, median_interval, ratios


def test_pairs():
    assert differences([3, 5], [1, 2]) == [2, 3]
    assert ratios([3, 5], [1, 2]) == [3, 2.5]
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        differences([1, 2], [1])


@pytest.mark.parametrize(
    ("count", "low", "high"),
    # ranks of the 95% interval of the median: tables of the sign test
    [(6, 1, 6), (8, 1, 8), (9, 2, 8), (11, 2, 10), (12, 3, 10), (15, 4, 12), (20, 6, 15)],
)
def test_the_interval_has_the_ranks_of_the_sign_test(count, low, high):
    values = [*range(1, count + 1)]
    random.Random(1).shuffle(values)
    found = median_interval(values)
    assert (found.low, found.high) == (low, high)
    assert found.value == (count + 1) / 2


def test_it_covers_the_median_of_a_skewed_distribution():
    random_numbers = random.Random(2)
    inside = 0
    for _ in range(2000):
        found = median_interval([random_numbers.expovariate(0.693147) for _ in range(9)])
        inside += found.low <= 1 <= found.high
    assert 0.945 <= inside / 2000 <= 0.98  # exact: 0.961


def test_too_few_values_are_refused():
    with pytest.raises(ValueError, match="5 values are too few for 95%"):
        median_interval([1, 2, 3, 4, 5])
    assert median_interval([1, 2, 3, 4, 5], confidence=0.9).low == 1
