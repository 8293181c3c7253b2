"""Spans and function costs: from a ring to tables, once, with what was lost on the way."""

import time

import pytest

from agent.rings import open_ring
from dynoscope_probe import layout
from profiler.wire import SCHEMAS
from tests.agent.rings import make_ring, write
from tests.agent.test_draining import drain, rows, worker_of


def span(ring, name="SELECT ?", **fields):
    values = {
        "type": layout.DETAIL_SPAN, "kind": layout.SPAN_KINDS.index("db"), "outcome": 0,
        "status": 0, "name_id": ring.string_id(name), "endpoint_id": ring.endpoint_id("GET /")[1],
        "started_ns": time.time_ns(), "wall_ns": 7, "trace_id_high": 1, "trace_id_low": 2,
        "span_id": 3, "parent_id": 4, **fields,
    }  # fmt: skip
    return layout.SPAN.pack(*(values[field] for field in layout.SPAN_FIELDS))


def function_cost(ring, function, caller="", **fields):
    values = {
        "type": layout.DETAIL_FUNCTION_COST, "unit": 1, "function_id": ring.string_id(function),
        "caller_id": ring.string_id(caller) if caller else 0,
        "endpoint_id": ring.endpoint_id("GET /")[1], "calls": 5, "cost_self": 6,
        "cost_inclusive": 7, "started_ns": time.time_ns(), "trace_id_high": 0, "trace_id_low": 9,
        **fields,
    }  # fmt: skip
    return layout.FUNCTION_COST.pack(*(values[field] for field in layout.FUNCTION_COST_FIELDS))


def test_spans_become_rows(tmp_path):
    ring = make_ring(tmp_path)
    started_ns = time.time_ns()
    ring.write_detail(span(ring, started_ns=started_ns))
    ring.write_detail(span(ring, kind=0, status=500, outcome=1, parent_id=0, name="GET /"))
    _, worker = worker_of(tmp_path)
    first, second = rows(drain(worker), "spans")
    assert first == {
        "ts_ms": started_ns // 10**6, "service": "shop", "host": "web-1", "region": "eu",
        "trace_id": "0000000000000001" "0000000000000002", "span_id": "0000000000000003",
        "parent_id": "0000000000000004", "name": "SELECT ?", "kind": "db",
        "started_ns": started_ns, "wall_ns": 7, "status": 0, "outcome": "ok", "release": "r1",
        "endpoint": "GET /",
    }  # fmt: skip
    assert (second["kind"], second["status"], second["outcome"]) == ("request", 500, "error")
    assert second["parent_id"] == ""


def test_function_costs_become_rows(tmp_path):
    ring = make_ring(tmp_path)
    ring.write_detail(function_cost(ring, "feed.views:feed"))
    ring.write_detail(function_cost(ring, "feed.ranking:rank", "feed.views:feed", calls=2**32 - 1))
    _, worker = worker_of(tmp_path)
    top, below = rows(drain(worker), "function_costs")
    assert (top["function"], top["caller"], top["calls"]) == ("feed.views:feed", "", 5)
    assert (top["cost_self"], top["cost_inclusive"], top["cost_unit"]) == (6, 7, "cpu_ns")
    assert (below["caller"], below["calls"]) == ("feed.views:feed", 2**32 - 1)
    assert top["trace_id"] == "00000000000000000000000000000009"
    assert list(top) == SCHEMAS["function_costs"].names


def test_details_are_read_once_and_on_from_their_own_cursor(tmp_path):
    ring = make_ring(tmp_path)
    _, worker = worker_of(tmp_path)
    write(ring, 3)
    ring.write_detail(span(ring))
    first = drain(worker)
    assert (first.cursor.seq, first.cursor.details) == (3, 1)
    ring.write_detail(span(ring, "SELECT ??"))
    second = drain(worker, first.cursor)
    assert [row["name"] for row in rows(second, "spans")] == ["SELECT ??"]
    assert rows(drain(worker, second.cursor), "spans") == []


def test_overwritten_and_torn_details_are_counted(tmp_path):
    ring = make_ring(tmp_path, details=16)
    for _ in range(20):
        ring.write_detail(span(ring))
    _, worker = worker_of(tmp_path)
    with open(ring.path, "r+b") as file:
        header = open_ring(worker.ring.path).header
        file.seek(header.details_offset + 5 * layout.DETAIL_BYTES + 50)
        file.write(b"\xff\xff")
    out = drain(worker)
    assert len(rows(out, "spans")) == 15
    assert +out.losses == {
        ("shop", "agent", "details_dropped"): 4,
        ("shop", "agent", "details_torn"): 1,
    }
    assert out.cursor.details == 20


@pytest.mark.parametrize("fields", [{"started_ns": 0}, {"started_ns": 2**63}, {"type": 77}])
def test_what_cannot_be_is_counted_and_left_out(tmp_path, fields):
    ring = make_ring(tmp_path)
    ring.write_detail(span(ring, **fields))
    ring.write_detail(span(ring))
    _, worker = worker_of(tmp_path)
    out = drain(worker)
    assert len(rows(out, "spans")) == 1
    assert +out.losses == {("shop", "agent", "details_not_understood"): 1}


def test_unknown_words_and_strings_do_no_harm(tmp_path):
    ring = make_ring(tmp_path)
    ring.write_detail(span(ring, kind=200, outcome=200, name_id=10**6, endpoint_id=0))
    _, worker = worker_of(tmp_path)
    (row,) = rows(drain(worker), "spans")
    assert (row["kind"], row["outcome"]) == (layout.SPAN_KINDS[0], layout.OUTCOMES[0])
    assert (row["name"], row["endpoint"]) == ("", "")
