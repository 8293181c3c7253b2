import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiler.histogram import cost_bucket, quantile_ns, wall_bucket, wall_edges_ns

SLO_EDGES_MS = (100, 250, 500, 1_000, 2_000, 5_000)


def bucket(wall_ns: int) -> int:
    return int(wall_bucket(np.array([wall_ns], dtype=np.uint64))[0])


@given(st.integers(1, 10**13))
def test_a_wall_time_lies_within_the_edges_of_its_bucket(wall_ns: int) -> None:
    low, high = wall_edges_ns(bucket(wall_ns))
    assert low * (1 - 1e-12) <= wall_ns < high * (1 + 1e-12)


@pytest.mark.parametrize("edge_ms", SLO_EDGES_MS)
def test_slo_thresholds_are_edges(edge_ms: int) -> None:
    edge_ns = edge_ms * 1_000_000
    assert bucket(edge_ns - 1) == bucket(edge_ns) - 1
    assert wall_edges_ns(bucket(edge_ns))[0] == edge_ns


@given(st.lists(st.integers(1, 10**12), min_size=2, max_size=50))
def test_buckets_keep_the_order(values: list[int]) -> None:
    buckets = wall_bucket(np.array(sorted(values), dtype=np.uint64))
    assert (np.diff(buckets) >= 0).all()
    costs = cost_bucket(np.array(sorted(values), dtype=np.uint64))
    assert (np.diff(costs) >= 0).all()


def test_quantiles_are_good_to_five_percent() -> None:
    rng = np.random.default_rng(7)
    wall = np.exp(rng.normal(17.5, 1.0, 50_000)).astype(np.uint64)
    keys, counts = np.unique(wall_bucket(wall), return_counts=True)
    for share in (0.5, 0.95, 0.99):
        found = quantile_ns(keys.astype(np.int32), counts.astype(np.uint64), share)
        assert found == pytest.approx(float(np.quantile(wall, share)), rel=0.05)


def test_no_requests_have_no_quantile() -> None:
    nothing = np.array([], dtype=np.int32), np.array([], dtype=np.uint64)
    assert math.isnan(quantile_ns(*nothing, 0.99))


def test_cost_has_eight_buckets_per_doubling() -> None:
    low, high = cost_bucket(np.array([1_000, 2_000], dtype=np.uint64))
    assert high - low == 8
