import time
from pathlib import Path

from agent.draining import drained, request_tables
from agent.requests import Identity
from agent.seen import Seen
from agent.spool import Cursor
from agent.workers import Workers
from tests.agent.processes import ask, target
from tests.agent.rings import begin, make_ring, write

WHO = Identity("shop", "web-1", "eu")
START = Cursor(0, {})


def worker_of(folder):
    workers = Workers(folder, Path("/proc"))
    workers.look(time.time_ns())
    (worker,) = workers.known.values()
    return workers, worker


def drain(worker, before=START):
    return drained(worker, before, WHO, Seen(), time.time_ns())


def rows(out, table="requests"):
    tables = [*out.tables, *(("requests", one) for one in request_tables({1: out.served})[0])]
    return [row for name, part in tables if name == table for row in part.to_pylist()]


def test_the_killed_are_told_once_with_numbers_of_their_own(tmp_path):
    with target("ring_worker", str(tmp_path), "64") as process:
        ask(process, "3")
        ask(process, "begin")
        workers, worker = worker_of(tmp_path)
        alive = drain(worker)
        assert [row["outcome"] for row in rows(alive)] == ["ok"] * 3
        ask(process, "2")
    workers.look(time.time_ns())
    dead = drain(worker, alive.cursor)
    told = [(row["seq"], row["outcome"], row["endpoint"]) for row in rows(dead)]
    assert told == [(4, "ok", "GET /feed"), (5, "ok", "GET /feed"), (6, "killed", "GET /slow")]
    assert rows(dead)[-1]["trace_id"] == "00000000000000050000000000000006"
    again = drain(worker, dead.cursor)
    assert rows(again) == [] and again.cursor.seq == 6


def test_a_request_with_its_record_was_not_killed(tmp_path):
    started_ns = time.time_ns()
    ring = make_ring(tmp_path, process_start_ticks=1)
    slot = begin(ring, "GET /done", started_ns)
    write(ring, 1, endpoint="GET /done", started_ns=started_ns, thread_slot=slot)
    _, worker = worker_of(tmp_path)
    assert [row["outcome"] for row in rows(drain(worker))] == ["ok"]


def test_losses_are_told_as_their_increase(tmp_path):
    ring = make_ring(tmp_path, records=16)
    _, worker = worker_of(tmp_path)
    write(ring, 20)
    ring.count("strings_full", 5)
    first = drain(worker)
    assert +first.losses == {
        ("shop", "probe", "strings_full"): 5,
        ("shop", "agent", "records_dropped"): 4,
    }
    ring.count("strings_full", 2)
    second = drain(worker, first.cursor)
    assert +second.losses == {("shop", "probe", "strings_full"): 2}


def test_a_record_with_an_impossible_time_is_counted_and_left_out(tmp_path):
    ring = make_ring(tmp_path)
    now_ns = time.time_ns()
    for started_ns in (0, 2**64 - 1, now_ns - 9 * 86_400 * 10**9, now_ns):
        write(ring, 1, started_ns=started_ns)
    _, worker = worker_of(tmp_path)
    out = drain(worker)
    assert [row["seq"] for row in rows(out)] == [4]
    assert +out.losses == {("shop", "agent", "records_with_wrong_time"): 3}
    assert out.cursor.seq == 4


def test_texts_of_statements_and_errors_go_along(tmp_path):
    ring = make_ring(tmp_path)
    fields = {
        "statement1_id": ring.string_id("SELECT ?"),
        "error_id": ring.string_id("KeyError\x1fno ?\x1fapp:view"),
    }
    write(ring, 3, error_fp=9, **fields)
    _, worker = worker_of(tmp_path)
    out = drain(worker)
    assert [row["text"] for row in rows(out, "statements")] == ["SELECT ?"]
    assert {row["type"] for row in rows(out, "errors")} == {"KeyError"}
    assert out.statements == [rows(out, "statements")[0]["fingerprint"]]
