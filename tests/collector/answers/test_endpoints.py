"""Endpoints, from roll-ups and from raw rows, against plain sums."""

import pytest

from collector.answers.endpoints import endpoints
from collector.answers.records import Window
from tests.collector import rows
from tests.collector.answers.oracle import alive, failed, grouped, mean, quantile_ms, rows_of
from tests.collector.rows import SERVICE, START_MS

TABLES = (
    rows.request_rows(3_000, 1, killed_share=0.01),
    rows.request_rows(1_500, 2, release="r2", feed_factor=1.3, start_ms=START_MS + 600_000),
    rows.request_rows(300, 3, cost_unit="instructions", hosts=["bare-1"]),
)
ROLLED = Window(START_MS, START_MS + 1_200_000)
#: Ends within 5 minutes of which some are after it; and in which nothing came later.
CUT = Window(START_MS + 120_000, START_MS + 420_000)
NEWEST = Window(START_MS + 60_000, START_MS + 1_860_000)
RAW = Window(START_MS + 1, START_MS + 1_000_500)


@pytest.fixture(scope="module", autouse=True)
def filled(store):
    for at, table in enumerate(TABLES):
        store.insert("requests", table, f"b{at}")
    store.insert("requests", rows.request_rows(50, 9, service="other"), "other")
    store.insert("limits", rows.limit_rows("dropped", 3), "l1")
    store.insert("limits", rows.limit_rows("dropped", 4, host="web-2"), "l2")


@pytest.mark.parametrize(
    "window", [ROLLED, CUT, NEWEST, RAW], ids=["rolled", "cut", "newest", "raw"]
)
def test_rows_are_the_plain_sums(store, window):
    sent = rows_of(*TABLES, start_ms=window.from_ms, end_ms=window.to_ms)
    expected = grouped(sent, lambda row: (row["endpoint"], row["kind"], row["cost_unit"]))
    first_ms = min(row["ts_ms"] for row in rows_of(*TABLES))
    seconds = (window.to_ms - max(window.from_ms, first_ms)) / 1000
    answer = endpoints(store, window, SERVICE)
    assert {(r.endpoint, r.kind, r.cost_unit) for r in answer.data} == set(expected)
    for row in answer.data:
        group = expected[row.endpoint, row.kind, row.cost_unit]
        lived = alive(group)
        unit_cost = sum(r["cost"] for r in alive(sent) if r["cost_unit"] == row.cost_unit)
        assert row.requests == len(group)
        assert row.errors == failed(group)
        assert row.killed == len(group) - len(lived)
        assert row.error_rate == pytest.approx(failed(group) / len(group))
        assert row.per_s == pytest.approx(len(group) / seconds)
        assert row.cost == pytest.approx(mean(lived, "cost"), rel=1e-12)
        assert row.task_clock_ns == pytest.approx(mean(lived, "task_clock_ns"), rel=1e-12)
        assert row.cost_share == pytest.approx(sum(r["cost"] for r in lived) / unit_cost)
        cpu_s = sum(r["task_clock_ns"] for r in lived) / 1e9
        assert row.cpu_cores == pytest.approx(cpu_s / seconds)
        assert row.wall_ms_mean == pytest.approx(mean(lived, "wall_ns") / 1e6)
        assert row.db_ms == pytest.approx(mean(lived, "db_ns") / 1e6)
        assert row.cache_ms == pytest.approx(mean(lived, "cache_ns") / 1e6)
        assert row.latency_ms_p50 == pytest.approx(quantile_ms(lived, 0.50), rel=0.05)
        assert row.latency_ms_p95 == pytest.approx(quantile_ms(lived, 0.95), rel=0.095)
        assert row.releases == tuple(sorted({r["release"] for r in group}))


def test_rates_are_over_the_time_in_which_the_service_was_known(store):
    first_ms = min(row["ts_ms"] for row in rows_of(*TABLES))
    early = Window(START_MS - 1_000_000, START_MS + 500_000)
    seconds = (early.to_ms - first_ms) / 1000
    found = endpoints(store, early, SERVICE).data
    assert found
    for row in found:
        assert row.per_s == pytest.approx(row.requests / seconds)


def test_the_dearest_comes_first_and_the_envelope_is_filled(store):
    answer = endpoints(store, ROLLED, SERVICE)
    shares = [row.cost_share for row in answer.data]
    assert shares == sorted(shares, reverse=True)
    for unit in ("cpu_ns", "instructions"):
        assert sum(r.cost_share for r in answer.data if r.cost_unit == unit) == pytest.approx(1)
    newest = max(row["ts_ms"] for row in rows_of(*TABLES))
    assert (answer.unit, answer.as_of_ms, answer.truncated) == ("cpu_ns", newest, False)
    assert [(limit.where, limit.what, limit.count) for limit in answer.limits] == [
        ("agent", "dropped", 7)
    ]


@pytest.mark.parametrize("service", ["nobody", "' OR 1=1 --", "\\"])
def test_a_service_that_sent_nothing_has_no_rows(store, service):
    answer = endpoints(store, ROLLED, service)
    assert (answer.data, answer.unit, answer.as_of_ms) == ((), "", 0)


def test_weights_count(store):
    thinned = rows.request_rows(100, 4, service="thin", killed_share=0)
    at = thinned.column_names.index("weight")
    kind = thinned.schema.field("weight").type
    store.insert("requests", thinned.set_column(at, "weight", [[4.0] * 100]).cast(
        thinned.schema.set(at, thinned.schema.field(at).with_type(kind))
    ), "thin")  # fmt: skip
    for window in (ROLLED, RAW):
        answer = endpoints(store, window, "thin")
        sent = rows_of(thinned, start_ms=window.from_ms, end_ms=window.to_ms)
        assert sum(row.requests for row in answer.data) == 4 * len(sent)
        for row in answer.data:
            group = [r for r in sent if r["endpoint"] == row.endpoint]
            assert row.cost == pytest.approx(mean(group, "cost"))
