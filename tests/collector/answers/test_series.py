"""Points over time against plain sums."""

import pytest

from collector.answers.records import Window
from collector.answers.series import POINTS_MAX, series, step_of
from tests.collector import rows
from tests.collector.answers.oracle import alive, failed, grouped, mean, quantile_ms, rows_of
from tests.collector.rows import ENDPOINTS, SERVICE, START_MS

TABLES = (
    rows.request_rows(2_000, 1, span_ms=1_800_000),
    rows.request_rows(2_000, 2, release="r2", start_ms=START_MS + 1_500_000, span_ms=5_000_000),
)
RAW = Window(START_MS, START_MS + 3_000_000)
ROLLED = Window(START_MS, START_MS + 7_200_000)


@pytest.fixture(scope="module", autouse=True)
def filled(store):
    for at, table in enumerate(TABLES):
        store.insert("requests", table, f"b{at}")


@pytest.mark.parametrize("endpoint", ["", ENDPOINTS[0], "GET /'nowhere/"])
@pytest.mark.parametrize(("window", "step_ms"), [(RAW, 10_000), (ROLLED, 60_000)])
def test_points_are_the_plain_sums(store, window, step_ms, endpoint):
    sent = rows_of(*TABLES, start_ms=window.from_ms, end_ms=window.to_ms)
    chosen = [row for row in sent if endpoint in ("", row["endpoint"])]
    expected = grouped(chosen, lambda row: (row["ts_ms"] // step_ms * step_ms, row["release"]))
    answer = series(store, window, SERVICE, endpoint)
    assert [(p.ts_ms, p.release) for p in answer.data] == sorted(expected)
    for point in answer.data:
        group = expected[point.ts_ms, point.release]
        assert point.requests == len(group)
        assert point.per_s == pytest.approx(len(group) / (step_ms / 1000))
        assert point.error_rate == pytest.approx(failed(group) / len(group))
        if lived := alive(group):
            assert point.cost == pytest.approx(mean(lived, "cost"), rel=1e-12)
            assert point.db_ms == pytest.approx(mean(lived, "db_ns") / 1e6)
            assert point.latency_ms_p50 == pytest.approx(quantile_ms(lived, 0.5), rel=0.25)


def test_the_step_follows_the_window():
    hour = 3_600_000
    assert step_of(Window(0, hour - 1)) == 10_000
    assert step_of(Window(0, hour)) == 60_000
    assert step_of(Window(0, 24 * hour)) == 300_000
    for hours in (1, 5, 7, 24, 100, 24 * 30, 24 * 400):
        assert hours * hour / step_of(Window(0, hours * hour)) <= POINTS_MAX
