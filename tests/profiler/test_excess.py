"""A canary's excess over the control, against the textbook's tests."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from profiler.excess import Excess, Parts, excess

HOSTS, CANARY, WINDOWS = 9, 3, 20


def parts(count: np.ndarray, requests: np.ndarray, canary: int = CANARY) -> Parts:
    """From (hosts, windows); the first hosts run the canary."""
    host, window = (column.reshape(-1) for column in np.indices(count.shape))
    return Parts(
        host, window, np.zeros(len(host), dtype=np.int64), host < canary,
        count.reshape(-1).astype(float), requests.reshape(-1).astype(float),
    )  # fmt: skip


def costs(seed: int, rise: float = 0.0, spread: float = 0.05, hosts: int = HOSTS) -> np.ndarray:
    rng = np.random.default_rng(seed)
    speed = rng.lognormal(0, spread, hosts)
    speed[:CANARY] *= 1 + rise
    return speed[:, None] * np.ones(WINDOWS) * 100


def requests(hosts: int = HOSTS) -> np.ndarray:
    return np.full((hosts, WINDOWS), 10)


def test_steady_hosts_are_students_test_on_their_logarithms() -> None:
    count = costs(1, rise=0.1)
    found = excess(parts(count, requests()), None, share=False)
    each = np.log(count.sum(axis=1))
    plain = stats.ttest_ind(each[:CANARY], each[CANARY:], alternative="greater")
    assert found.unit_of_error == "host"
    assert found.p_value(0.0) == pytest.approx(plain.pvalue)
    span = stats.ttest_ind(each[:CANARY], each[CANARY:]).confidence_interval(0.9)
    assert found.interval(0.05) == pytest.approx((span.low, span.high))


def test_one_canary_host_is_told_by_the_spread_of_the_others() -> None:
    """Crawford and Howell's t."""
    count = costs(2, rise=0.0)
    found = excess(parts(count, requests(), canary=1), None, share=False)
    each = np.log(count.sum(axis=1))
    ours = each[1:]
    t = (each[0] - ours.mean()) / (ours.std(ddof=1) * np.sqrt(1 + 1 / len(ours)))
    assert found.p_value(0.0) == pytest.approx(stats.t.sf(t, len(ours) - 1))


def test_what_moves_all_hosts_cancels_out_whatever_their_traffic() -> None:
    rng = np.random.default_rng(3)
    asked = rng.poisson(20, (HOSTS, WINDOWS)) + 1
    load = rng.lognormal(0, 1, WINDOWS)
    count = asked * load * np.where(np.arange(HOSTS) < CANARY, 1.2, 1.0)[:, None]
    found = excess(parts(count, asked), None, share=False)
    assert found.value == pytest.approx(np.log(1.2))
    assert found.error == pytest.approx(0, abs=1e-9)


def test_each_host_is_set_against_its_own_time_before() -> None:
    before = costs(4, spread=0.3)
    now = before * np.where(np.arange(HOSTS) < CANARY, 1.1, 1.0)[:, None]
    found = excess(parts(now, requests()), parts(before, requests()), share=False)
    assert found.value == pytest.approx(np.log(1.1))
    assert found.error == pytest.approx(0, abs=1e-9)
    without = excess(parts(now, requests()), None, share=False)
    assert without.error > 0.1


def test_new_hosts_have_no_time_before_and_are_compared_without() -> None:
    now, before = parts(costs(5), requests()), parts(costs(5), requests())
    only_ours = before.host >= CANARY
    before = Parts(*(getattr(before, name)[only_ours] for name in Parts.__slots__))
    assert excess(now, before, share=False) == excess(now, None, share=False)


def test_strata_are_compared_with_their_like_and_others_left_out() -> None:
    count = costs(6, rise=0.0, spread=0.01)
    slow = np.isin(np.arange(HOSTS), [0, 4, 5])
    both = parts(count * np.where(slow, 2.0, 1.0)[:, None], requests())
    found = excess(replace(both, stratum=slow[both.host].astype(np.int64)), None, share=False)
    assert abs(found.value) < 0.05
    alone = np.where(both.host == 1, 7, 0)  # nobody else has this processor
    without = excess(replace(both, stratum=alone), None, share=False)
    assert without.freedom == HOSTS - 1 - 2


def test_events_that_only_the_canary_has_pass_the_exact_test_of_two_counts() -> None:
    failed = np.zeros((HOSTS, WINDOWS))
    failed[0, :3] = 1
    found = excess(parts(failed, requests()), None, share=True)
    exact = stats.binomtest(3, 3, CANARY / HOSTS, alternative="greater").pvalue
    assert found.exact_p == pytest.approx(exact)
    assert found.p_value(0.0) >= exact
    failed[:CANARY] = 2
    assert excess(parts(failed, requests()), None, share=True).p_value(0.05) < 1e-6


def test_few_hosts_are_compared_by_windows_and_wander_widens_it() -> None:
    rng = np.random.default_rng(7)
    still = rng.lognormal(0, 0.05, (2, 60)) * 100
    slow = still * np.exp(np.stack([np.sin(np.arange(60) / 9) * 0.2, np.zeros(60)]))
    asked = np.full((2, 60), 10)
    before = parts(still, asked, canary=1)
    found = [excess(parts(now, asked, canary=1), before, share=False) for now in (still, slow)]
    assert {one.unit_of_error for one in found} == {"window"}
    assert found[1].error > 2 * found[0].error


def test_a_host_that_hardly_served_says_nothing() -> None:
    asked, count = requests(), costs(8)
    asked[4], count[4] = 0, 0
    asked[4, 0], count[4, 0] = 1, 1e6
    whole = excess(parts(count, asked), None, share=False)
    assert whole.freedom == HOSTS - 1 - 2
    assert whole.error < 0.1


@pytest.mark.parametrize("share", [True, False])
def test_nothing_is_known_of_nothing(share: bool) -> None:
    none = Parts(*(np.array([], dtype=kind) for kind in ("i8", "i8", "i8", "?", "f8", "f8")))
    found = excess(none, None, share=share)
    assert found.reason.startswith("no minutes in which both releases served")
    assert np.isnan(found.p_value(0.0))
    assert np.isnan(found.interval(0.05)).all()


def test_no_error_at_all_is_certain_one_way_or_the_other() -> None:
    found = Excess(0.1, 0.0, 5.0, 0.0, "host")
    assert (found.p_value(0.05), found.p_value(0.1)) == (0.0, 1.0)
