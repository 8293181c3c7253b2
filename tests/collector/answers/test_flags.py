"""The flag sweep over stored rows, against plain loops."""

import pyarrow as pa
import pytest

from collector.answers.flags import flags
from collector.answers.records import Window
from tests.collector import rows
from tests.collector.answers.oracle import alive, grouped, mean, rows_of
from tests.collector.arrow import with_column
from tests.collector.rows import START_MS

WINDOW = Window(START_MS, START_MS + 600_000)
N = 4_000


def sent() -> pa.Table:
    batch = rows.request_rows(N, 1)
    flagged = [["ranker=on"] if i % 2 else ["ranker=off", "x=1"] for i in range(N)]
    cost = [c * 2 if i % 2 else c for i, c in enumerate(batch["cost"].to_pylist())]
    batch = with_column(batch, "flags", flagged, batch["flags"].type)
    batch = with_column(batch, "worker_req", [1_000] * N, batch["worker_req"].type)
    return with_column(batch, "cost", cost, batch["cost"].type)


SENT = sent()


@pytest.fixture(scope="module", autouse=True)
def filled(store):
    store.insert("requests", SENT, "b1")


def test_each_value_against_its_control(store):
    (cost,) = flags(store, WINDOW, service=rows.SERVICE).data
    assert (cost.flag, cost.value, cost.control, cost.unit) == ("ranker", "on", "off", "cpu_ns")
    arms = grouped(alive(rows_of(SENT)), lambda row: "ranker=on" in row["flags"])
    assert (cost.requests, cost.control_requests) == (len(arms[True]), len(arms[False]))
    weighted = total = 0.0
    for endpoint in rows.ENDPOINTS:
        on, off = ([r for r in arms[arm] if r["endpoint"] == endpoint] for arm in (True, False))
        weight = 1 / (1 / len(on) + 1 / len(off))
        weighted += weight * (mean(on, "cost") - mean(off, "cost"))
        total += weight
    assert cost.difference.value == pytest.approx(weighted / total)
    assert cost.verdict == "regression"
    assert cost.relative.low < 1 < cost.relative.high


def test_rates_are_of_the_time_in_which_anything_was_asked(store):
    day = Window(WINDOW.to_ms - 86_400_000, WINDOW.to_ms)
    (short,), (long,) = (flags(store, one, service=rows.SERVICE).data for one in (WINDOW, day))
    assert long.fleet_per_s == pytest.approx(short.fleet_per_s)
    assert short.fleet_per_s == pytest.approx(
        short.difference.value * short.requests / 600, rel=0.02
    )


def test_nothing_of_another_service(store):
    assert flags(store, WINDOW, service="other").data == ()
