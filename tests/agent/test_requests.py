import time
from pathlib import Path

from agent.requests import (
    Identity,
    Served,
    error_table,
    fingerprint,
    killed_records,
    request_table,
    statement_table,
    statement_texts,
)
from agent.rings import InFlight, open_ring
from profiler.wire import SCHEMAS
from tests.agent.rings import make_ring, packed, write

WHO = Identity("shop", "web-1", "eu")


def read(writer):
    ring = open_ring(Path(writer.path))
    ring.read_strings(ring.counters()["strings_used"])
    return ring, ring.drain(0, ring.counters()["written"], alive=True).records


def test_every_column_of_a_record(tmp_path):
    writer = make_ring(tmp_path, worker=3)
    started_ns = time.time_ns()
    _, endpoint_id = writer.endpoint_id("POST /media/<id>/")
    flags = writer.string_id("a=1\x1fb=on")
    select, update = writer.string_id("SELECT ?"), writer.string_id("UPDATE ?")
    writer.write(
        packed(
            kind=1, outcome=1, unit=2, trace_sampled=1, status=503, started_ns=started_ns,
            wall_ns=10, cost=11, task_clock_ns=12, ctx_switches=13, worker_req=14,
            endpoint_id=endpoint_id, flags_id=flags, worker_age_s=15, db_ns=16, cache_ns=17,
            rpc_ns=18, gc_ns=19, db_calls=20, cache_calls=21, trace_id_high=0xAB, trace_id_low=1,
            user_hash=22, error_fp=23, statement1_id=select, statement1_calls=24,
            statement1_ns=25, statement3_id=update, statement3_calls=26, statement3_ns=27,
            rpc_calls=28,
        )
    )  # fmt: skip
    ring, records = read(writer)
    (row,) = request_table([Served(ring, records, WHO, 77)]).to_pylist()
    assert row == {
        "ts_ms": started_ns // 10**6, "service": "shop", "host": "web-1", "region": "eu",
        "ring_id": writer.ring_id, "seq": 1, "pid": 77, "worker": 3, "worker_req": 14,
        "worker_age_s": 15, "cpu_model": "cpu", "weight": 1.0, "release": "r1",
        "runtime": "cpython 3.11.7", "endpoint": "POST /media/<id>/", "kind": "task",
        "status": 503, "outcome": "error", "wall_ns": 10, "cost": 11, "cost_unit": "instructions",
        "task_clock_ns": 12, "ctx_switches": 13, "db_ns": 16, "db_calls": 20, "cache_ns": 17,
        "cache_calls": 21, "rpc_ns": 18, "rpc_calls": 28, "gc_ns": 19,
        "statement_fps": [fingerprint("SELECT ?"), fingerprint("UPDATE ?")],
        "statement_calls": [24, 26], "statement_ns": [25, 27], "flags": ["a=1", "b=on"],
        "trace_id": "00000000000000ab0000000000000001", "trace_sampled": 1, "user_hash": 22,
        "error_fp": 23,
    }  # fmt: skip
    texts = statement_texts(ring, records)
    rows = statement_table(texts, WHO, 5).to_pylist()
    assert {(one["fingerprint"], one["text"]) for one in rows} == {
        (fingerprint("SELECT ?"), "SELECT ?"),
        (fingerprint("UPDATE ?"), "UPDATE ?"),
    }


def test_codes_that_are_no_words_and_ids_without_text(tmp_path):
    writer = make_ring(tmp_path)
    writer.write(packed(kind=9, outcome=200, unit=77, endpoint_id=999, flags_id=999, error_id=999))
    ring, records = read(writer)
    (row,) = request_table([Served(ring, records, WHO, 77)]).to_pylist()
    words = [row[name] for name in ("kind", "outcome", "cost_unit", "endpoint")]
    assert words == ["http", "ok", "none", ""]
    assert (row["flags"], row["trace_id"]) == ([], "")
    assert error_table(ring, records, WHO)[0].num_rows == 1


def test_errors_are_told_at_most_twenty_times_a_fingerprint(tmp_path):
    writer = make_ring(tmp_path)
    error_id = writer.string_id("KeyError\x1fno ?\x1fapp:view\napp:main")
    write(writer, 25, error_id=error_id, error_fp=7, outcome=1)
    write(writer, 1, error_id=error_id, error_fp=8, outcome=1)
    write(writer, 3)
    ring, records = read(writer)
    table, left_out = error_table(ring, records, WHO)
    assert (table.num_rows, left_out) == (21, 5)
    row = table.to_pylist()[0]
    assert row["type"] == "KeyError" and row["message"] == "no ?"
    assert row["top_frames"] == ["app:view", "app:main"]
    assert (row["endpoint"], row["release"], row["error_fp"]) == ("GET /feed", "r1", 7)


def test_killed_requests_are_numbered_on_and_last_at_least_until_last_seen_alive(tmp_path):
    writer = make_ring(tmp_path)
    _, endpoint_id = writer.endpoint_id("GET /slow")
    ring, _ = read(writer)
    now_ns = time.time_ns()
    flying = [InFlight(0, now_ns, endpoint_id, 0, 0, 9), InFlight(4, now_ns, endpoint_id, 1, 0, 0)]
    records = killed_records(flying, 41, now_ns + 500)
    rows = request_table([Served(ring, records, WHO, 77)]).to_pylist()
    assert [row["seq"] for row in rows] == [42, 43]
    assert {row["outcome"] for row in rows} == {"killed"}
    assert {row["endpoint"] for row in rows} == {"GET /slow"}
    assert [row["wall_ns"] for row in rows] == [500, 500]
    assert [row["kind"] for row in rows] == ["http", "task"]
    assert {(row["cost"], row["cost_unit"]) for row in rows} == {(0, "none")}
    assert killed_records(flying, 41, 0)["wall_ns"].tolist() == [0, 0]


def test_one_table_of_several_rings_is_the_tables_of_each(tmp_path):
    parts = []
    for number in range(3):
        writer = make_ring(tmp_path / str(number), worker=number, release=f"r{number}")
        for name in "abc"[number:]:
            statement = writer.string_id(f"SELECT {name}")
            flags = writer.string_id(f"flag={name}")
            write(writer, 2, f"GET /{name}", flags_id=flags, statement2_id=statement)
        ring, records = read(writer)
        parts.append(Served(ring, records, Identity("shop", f"web-{number}", ""), 70 + number))
    each = [row for part in parts for row in request_table([part]).to_pylist()]
    assert len(each) == 12 and len({row["endpoint"] for row in each}) == 3
    assert request_table(parts).to_pylist() == each


def test_tables_have_the_columns_of_the_vocabulary(tmp_path):
    writer = make_ring(tmp_path)
    write(writer, 1)
    ring, records = read(writer)
    assert request_table([Served(ring, records, WHO, 77)]).schema == SCHEMAS["requests"]
