"""SLO counts from a real store, against plain loops over the same requests."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from alerting.diagnosis import Patience
from alerting.rule_files import parse_rules
from alerting.rules import Slo
from alerting.slo import burning_for_ms, check_slo, count_windows
from collector.store.slo_counts import SliceCount, request_slices, slice_edges
from collector.store.store import Store
from tests.alerting.traffic import FEED, MINUTE_MS, SERVICE, START_MS, put_requests

WALLS_MS = (3, 99, 100, 249.9, 250, 499.999, 500, 700, 1_000, 1_999, 2_000, 4_999, 5_000, 9_000)
OUTCOMES = ("ok", "ok", "ok", "error", "killed", "disconnected")
STATUSES = (200, 201, 204, 301, 400, 404, 429, 500, 503)
#: What is good, and within how many ms.
SLIS = (
    *(("within", threshold_ms) for threshold_ms in (100, 250, 500, 1_000, 2_000, 5_000)),
    ("available", 0), ("success", 0), ("no crash", 0),
)  # fmt: skip
ALIVE = frozenset({SERVICE})
#: On a machine that others use, too.
LONG = Patience(1_000)


@dataclass(frozen=True)
class Mixed:
    """Requests of every kind, as columns."""

    ts_ms: Any
    columns: dict[str, Any]


@pytest.fixture
def mixed(store: Store) -> Mixed:
    """10,000 requests over four hours, in both raw rows and roll-up."""
    rng = np.random.default_rng(5)
    n, span_ms = 10_000, 240 * MINUTE_MS
    outcome = rng.choice(OUTCOMES, n)
    columns = {
        "wall_ms": rng.choice(WALLS_MS, n),
        "outcome": outcome,
        "status": np.where(outcome == "killed", 0, rng.choice(STATUSES, n)),
        "kind": rng.choice(["http", "http", "task"], n),
    }
    columns["status"] = np.where(columns["outcome"] == "disconnected", 200, columns["status"])
    put_requests(store, start_ms=START_MS, span_ms=span_ms, n=n, **columns)
    return Mixed(START_MS + np.arange(n) * span_ms // n, columns)


def slow_counts(mixed: Mixed, good: str, threshold_ms: int, window_ms: int, to_ms: int):
    """The definitions, in words of Python, one request at a time."""
    goods = total = 0
    for i, ts_ms in enumerate(mixed.ts_ms):
        if not to_ms - window_ms <= ts_ms < to_ms:
            continue
        status, outcome = mixed.columns["status"][i], mixed.columns["outcome"][i]
        if good == "within":
            counts = True
            fine = mixed.columns["wall_ms"][i] < threshold_ms and outcome != "killed"
        elif good == "available":
            http = mixed.columns["kind"][i] == "http"
            counts = http and status != 429 and outcome != "disconnected"
            fine = counts and status < 500 and outcome != "killed"
        elif good == "success":
            counts = not 400 <= status < 500
            fine = 200 <= status < 300 and outcome != "killed"
        else:
            counts, fine = True, outcome not in ("error", "killed")
        goods, total = goods + fine, total + counts
    return goods, total


@pytest.mark.parametrize("raw_minutes", [240, 120, 0])
def test_counts_are_exact_from_raw_rows_and_from_the_roll_up(
    store: Store, mixed: Mixed, raw_minutes: int
) -> None:
    windows = [5_000, 60_000, 3_600_000, 180 * MINUTE_MS, 239 * MINUTE_MS]
    to_ms = START_MS + 240 * MINUTE_MS
    windows = windows if raw_minutes else windows[1:]
    edges = slice_edges(windows, 8)
    found = request_slices(
        store,
        from_ms=to_ms - windows[-1],
        raw_from_ms=to_ms - raw_minutes * MINUTE_MS,
        to_ms=to_ms,
        windows_ms=windows,
        parts=8,
        endpoints=[FEED],
        all_endpoints=False,
    )
    for good, threshold_ms in SLIS:
        counts = count_windows(found.of("", FEED, good, threshold_ms), edges, windows)
        for window in windows:
            wanted = slow_counts(mixed, good, threshold_ms, window, to_ms)
            assert (counts[window].good, counts[window].total) == wanted, (good, threshold_ms)


def test_edges_hold_every_window_and_divide_the_time_between() -> None:
    edges = slice_edges([417, 5_000, 30_000], 8)
    assert [edges[7], edges[15], edges[23]] == [417, 5_000, 30_000]
    assert edges == sorted(set(edges)) and len(edges) == 24
    assert slice_edges([3], 4) == [1, 2, 3, 3]


def test_every_age_falls_into_the_slice_whose_edges_hold_it(store: Store) -> None:
    windows, to_ms = [7, 20, 100], START_MS + 100
    put_requests(store, start_ms=START_MS, span_ms=100, n=100)
    slices = request_slices(
        store, from_ms=START_MS, raw_from_ms=START_MS, to_ms=to_ms, windows_ms=windows, parts=4,
        endpoints=[], all_endpoints=True,
    ).of("", "", "no crash", 0)  # fmt: skip
    edges = [0, *slice_edges(windows, 4)]
    wanted = {i: b - a for i, (a, b) in enumerate(zip(edges, edges[1:], strict=False)) if b > a}
    assert {one.slice: one.total for one in slices} == wanted


def test_coverage_is_the_share_of_the_window_with_data() -> None:
    edges = slice_edges([800], 8)
    slices = [SliceCount("s", i, 1, 1) for i in (0, 1, 1, 2)] + [SliceCount("s", 7, 0, 0)]
    count = count_windows(slices, edges, [800])[800]
    assert (count.covered, count.total) == (0.375, 4)


def slo_of(text: str, window_s: float = 3_600) -> Slo:
    rules, problems = parse_rules(f"slos:\n  - {{name: s, {text}}}\n", "t.yaml")
    assert not problems
    return rules.with_window(window_s).slos[0]


def test_a_burning_slo_says_since_when_why_and_where(store: Store) -> None:
    slo = slo_of(f"endpoint: {FEED}, objective: 99%, good: within 500 ms")
    put_requests(store, start_ms=START_MS, span_ms=600_000, n=6_000, wall_ms=40, db_ns=3_000_000)
    broke_ms = START_MS + 600_000
    put_requests(store, start_ms=broke_ms, span_ms=20_000, n=200, wall_ms=700, db_ns=660_000_000)
    to_ms = broke_ms + 20_000
    check, (status,) = check_slo(store, slo, to_ms, ALIVE, {}, "http://x", patience=LONG)
    (finding,) = check.findings
    assert status.state == "burning" and finding.severity == "page"
    assert status.window.bad == 200 and status.window.total == 6_200
    assert status.budget_left == pytest.approx(1 - 200 / 62)
    assert abs(finding.details["since_ms"] - broke_ms) < 4_000
    assert finding.details["grew"][0]["part"] == "db_ms"
    assert finding.details["grew"][0]["before_ms"] == pytest.approx(3)
    assert finding.details["grew"][0]["after_ms"] > 500
    assert finding.labels == {"service": SERVICE, "endpoint": FEED, "release": "r1", "region": "eu"}
    assert "time in the database rose from 3.0 to" in finding.summary
    assert "Release r1" in finding.summary and "overspent" in finding.summary
    assert finding.links["endpoint"].startswith("http://x/endpoint?service=shop&endpoint=GET+")


def test_slos_over_all_endpoints_name_the_worst_one(store: Store) -> None:
    slo = slo_of("objective: 99.99%, good: status below 500")
    put_requests(store, start_ms=START_MS, span_ms=60_000, n=600)
    put_requests(store, start_ms=START_MS + 50_000, span_ms=10_000, n=50, status=503,
                 endpoint="GET /api/v1/search/", release="r2")  # fmt: skip
    check, _ = check_slo(store, slo, START_MS + 60_000, ALIVE, {}, "http://x", patience=LONG)
    (finding,) = check.findings
    assert "Most of them: GET /api/v1/search/." in finding.summary
    assert finding.labels["release"] == "r2"
    assert finding.links.keys() == {"overview"}


def test_each_service_is_judged_on_its_own(store: Store) -> None:
    slo = slo_of(f"endpoint: {FEED}, objective: 99%, good: within 500 ms")
    put_requests(store, start_ms=START_MS, span_ms=60_000, n=600)
    put_requests(store, start_ms=START_MS, span_ms=60_000, n=600, wall_ms=700, service="other")
    alive = frozenset({SERVICE, "other"})
    check, statuses = check_slo(store, slo, START_MS + 60_000, alive, {}, "", patience=LONG)
    assert {s.service: s.state for s in statuses} == {SERVICE: "ok", "other": "burning"}
    assert [finding.labels["service"] for finding in check.findings] == ["other"]


def test_a_budget_that_is_gone_is_not_fine_when_nothing_burns_any_more(store: Store) -> None:
    slo = slo_of(f"endpoint: {FEED}, objective: 99%, good: within 500 ms, window: 1h")
    put_requests(store, start_ms=START_MS, span_ms=60_000, n=600, wall_ms=700)
    put_requests(store, start_ms=START_MS + 1_000_000, span_ms=600_000, n=6_000)
    _, (status,) = check_slo(store, slo, START_MS + 1_600_000, ALIVE, {}, "", patience=LONG)
    assert status.budget_left < 0
    assert status.state == "spent"


def test_no_data_is_a_state_of_its_own_never_fine(store: Store) -> None:
    slo = slo_of(f"endpoint: {FEED}, objective: 99%, good: within 500 ms")
    check, (status,) = check_slo(store, slo, START_MS, frozenset(), {}, "")
    assert (status.state, check.findings) == ("no data", ())
    put_requests(store, start_ms=START_MS, span_ms=60_000, n=600, wall_ms=700)
    to_ms = START_MS + 60_000
    (finding,) = check_slo(store, slo, to_ms, ALIVE, {}, "", patience=LONG)[0].findings
    check, (status,) = check_slo(store, slo, to_ms, frozenset(), {finding.id: "page"}, "")
    assert (status.state, check.findings, finding.id in check.unknown) == ("no data", (), True)
    gone_ms = to_ms + 2 * 3_600_000
    fires = {finding.id: "page"}
    check, (status,) = check_slo(store, slo, gone_ms, ALIVE, fires, "", patience=LONG)
    assert (status.state, finding.id in check.unknown) == ("no data", True)


def slices_of(shares: list[float], per_slice: int, seed: int = 1) -> list[SliceCount]:
    """One second each, newest first, with so many requests on average."""
    rng = np.random.default_rng(seed)
    totals = rng.poisson(per_slice, len(shares))
    bad = [rng.binomial(n, share) for n, share in zip(totals, shares, strict=True)]
    return [
        SliceCount("s", i, float(n - b), float(n))
        for i, (n, b) in enumerate(zip(totals, bad, strict=True))
    ]


@pytest.mark.parametrize(("per_slice", "share"), [(4, 0.1), (4, 0.5), (50, 0.06), (50, 1.0)])
def test_it_began_where_the_share_rose_however_few_requests_a_slice_has(
    per_slice: int, share: float
) -> None:
    """Slices in which by chance nothing was bad are no end of it."""
    edges = [1_000 * (i + 1) for i in range(600)]
    shares = [share] * 60 + [0.001] * 540
    for seed in range(10):
        since_ms = burning_for_ms(slices_of(shares, per_slice, seed), edges)
        assert 40_000 <= since_ms <= 80_000


def test_where_it_always_burnt_it_began_with_the_first_request() -> None:
    edges = [1_000 * (i + 1) for i in range(600)]
    assert burning_for_ms(slices_of([1.0] * 300, 5), edges) == 300_000
    assert burning_for_ms([], edges) == 1_000
