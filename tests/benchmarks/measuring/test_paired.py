import math
import random

import pytest

from benchmarks.measuring.paired import differences, mean_ratio, median_interval, ratios


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


def test_a_mean_ratio_counts_what_happens_in_a_few_pairs_and_its_interval_covers_it():
    random_numbers = random.Random(8)
    covered = 0
    for seed in range(200):
        bare = [random_numbers.uniform(50, 100) for _ in range(20)]
        noise = [random_numbers.gauss(0, 0.01) for _ in bare]
        dear = [0.03 * (n % 3 == 0) for n in range(20)]
        watched = [a * math.exp(b - c) for a, b, c in zip(bare, noise, dear, strict=True)]
        found = mean_ratio(watched, bare, seed, draws=400)
        true = math.exp(-0.03 * 7 / 20)
        covered += found.low <= true <= found.high
        assert found.low < found.value < found.high
    assert covered >= 175
