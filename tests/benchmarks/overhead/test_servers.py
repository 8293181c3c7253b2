import os
from pathlib import Path

import pytest

from benchmarks.measuring.cpu import process_cpu_ns
from benchmarks.overhead import servers
from benchmarks.overhead.load import LoadError, drive
from benchmarks.overhead.measure import Plan, affordable_rounds, calibrated_loops, measure
from benchmarks.overhead.results import results
from tests.probe.reading import records_in


def test_a_peer_that_is_not_installed_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(servers, "PEERS_DIR", tmp_path)
    with pytest.raises(servers.BenchError, match="opentelemetry is not .*'make bench-setup' first"):
        servers.configurations("http://127.0.0.1:1", compiled=False)


def test_the_experiment_in_small(tmp_path):
    wanted = servers.own_configurations(compiled=False)
    plan = Plan(6, 1, trivial_requests=20, working_requests=2, warm_up_requests=10, own_turns=2)
    steps = []
    with servers.serving(wanted, tmp_path, calibrated_loops(1.0)) as workers:
        turns = measure(workers, plan, lambda share, _: steps.append(share))
        for worker in workers:
            before_ns = process_cpu_ns(worker.pid)
            state = Path(f"/proc/{worker.pid}/stat").read_text().rpartition(")")[2].split()[0]
            assert state == "T"
            assert process_cpu_ns(worker.pid) == before_ns
    assert len(steps) == 24
    assert steps[-1] == 1
    assert {name for name, _ in turns} == {"bare", "dynoscope"}
    for (_, view), blocks in turns.items():
        assert [each.requests for each in blocks] == [40 if view == "/trivial/" else 4] * 6
    bare = {result.name: result for result in results(turns)}["bare"]
    assert 20 < bare.cpu_us < 20_000
    endpoints = [endpoint for endpoint, _ in records_in(tmp_path / "rings")]
    assert endpoints.count("GET /trivial/") == 7 * 40 + 10
    assert endpoints.count("GET /working/") == 7 * 4
    assert not any(os.path.exists(f"/proc/{worker.pid}") for worker in workers)


def test_a_wrong_answer_is_an_error(tmp_path):
    wanted = servers.own_configurations(compiled=False)[:1]
    with servers.serving(wanted, tmp_path, 1) as (worker,), worker.turn():
        assert drive(worker.port, "/trivial/", 1) > 0
        with pytest.raises(LoadError, match="was answered b'HTTP/1.1 404"):
            drive(worker.port, "/nothing/", 3)


def test_an_application_that_does_not_start_is_shown(tmp_path):
    broken = servers.Configuration("broken", module="benchmarks.overhead.no_such_module")
    with (
        pytest.raises(servers.BenchError, match="(?s)broken did not start.*no_such_module"),
        servers.serving([broken], tmp_path, 1),
    ):
        pass


def test_a_slow_machine_has_fewer_rounds():
    plan = Plan(9, 5, 400, 20, 400, within_s=90)
    assert [affordable_rounds(plan, s) for s in (0.1, 2.0, 4.9, 50.0)] == [5, 5, 2, 1]
