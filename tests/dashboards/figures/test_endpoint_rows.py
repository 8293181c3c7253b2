from math import nan

from dashboards.figures.endpoint_rows import ENDPOINT_COLUMNS, endpoint_rows
from dashboards.urls import Query
from tests.dashboards.records import endpoint_row


def test_every_column_has_its_number_and_its_text():
    (row,) = endpoint_rows([endpoint_row()], Query("shop", start="-6h"))
    shown = {
        column["field"]: row.get(f"{column['field']}_text", row[column["field"]])
        for column in ENDPOINT_COLUMNS
    }
    assert shown == {
        "endpoint": "GET /api/v1/feed/",
        "cost_share": "72.4%",
        "per_s": "12.3/s",
        "cost": "6.83 ms CPU",
        "cpu_cores": "0.0843",
        "latency_ms_p50": "8.93 ms",
        "latency_ms_p99": "15.4 ms",
        "error_rate": "1.25%",
        "db_ms": "2.37 ms",
        "cache_ms": "200 µs",
    }
    assert row["href"] == "/endpoint?service=shop&endpoint=GET+%2Fapi%2Fv1%2Ffeed%2F&from=-6h"


def test_what_is_unknown_sorts_as_nothing():
    (row,) = endpoint_rows([endpoint_row(latency_ms_p99=nan)], Query())
    assert row["latency_ms_p99"] is None
    assert row["latency_ms_p99_text"] == "–"


def test_each_kind_and_unit_of_an_endpoint_is_a_row():
    others = (endpoint_row(cost_unit="instructions"), endpoint_row(kind="task"))
    rows = endpoint_rows([endpoint_row(), *others], Query())
    assert len({row["id"] for row in rows}) == 3
