import os
from pathlib import Path

from agent.workers import Workers
from tests.agent.processes import target
from tests.agent.rings import make_ring

PROC = Path("/proc")


def test_the_living_the_dead_and_the_pid_that_another_process_has_now(tmp_path):
    with target("two_functions") as process:
        alive = make_ring(tmp_path, pid=process.pid)
        dead = make_ring(tmp_path, pid=process.pid, process_start_ticks=1)
        workers = Workers(tmp_path, PROC)
        workers.look(77)
        state = {ring_id: worker.alive for ring_id, worker in workers.known.items()}
        assert state == {alive.ring_id: True, dead.ring_id: False}
        assert workers.known[alive.ring_id].pid == process.pid
        assert workers.known[alive.ring_id].last_alive_ns == 77
        assert workers.known[dead.ring_id].last_alive_ns == 0
    workers.look(78)
    assert not workers.known[alive.ring_id].alive
    workers.remove(alive.ring_id)
    assert not os.path.exists(alive.path)
    os.unlink(dead.path)
    workers.look(79)
    assert workers.known == {}


def test_a_bad_ring_is_refused_with_its_reason_and_tried_again(tmp_path):
    ring = make_ring(tmp_path)
    with open(ring.path, "r+b") as file:
        good = file.read(100)
        file.seek(0)
        file.write(b"?")
    workers = Workers(tmp_path, PROC)
    workers.look(1)
    assert workers.known == {} and "not a ring" in workers.refused[os.path.basename(ring.path)]
    with open(ring.path, "r+b") as file:
        file.write(good)
    workers.look(2)
    assert list(workers.known) == [ring.ring_id] and workers.refused == {}


def test_a_folder_that_is_not_there_yet(tmp_path):
    workers = Workers(tmp_path / "later", PROC)
    workers.look(1)
    assert workers.known == {}


def test_names_of_the_worker_win_over_those_of_the_agent(tmp_path):
    make_ring(tmp_path, host="", region="")
    make_ring(tmp_path)
    workers = Workers(tmp_path, PROC)
    workers.look(1)
    views = [worker.view("here", "us") for worker in workers.known.values()]
    assert {(one.identity.host, one.identity.region) for one in views} == {
        ("here", "us"),
        ("web-1", "eu"),
    }
