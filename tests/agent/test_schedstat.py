import os
from pathlib import Path
from threading import Event, Thread

from agent.schedstat import Scheduled, contended, scheduled, task_ids

PROC = Path("/proc")


def test_tasks_and_cpu_of_this_process_with_all_its_threads():
    stop = Event()
    thread = Thread(target=stop.wait)
    thread.start()
    try:
        assert {os.getpid(), thread.native_id} <= task_ids(os.getpid(), PROC)
    finally:
        stop.set()
        thread.join()
    before = scheduled(os.getpid(), PROC, 1)
    sum(range(10**6))
    ran = scheduled(os.getpid(), PROC, 5).since(before)
    assert before.cpu_ns > 0 and before.turns >= before.preemptions >= 0
    assert ran.wall_ns == 4
    assert ran.cpu_ns > 0
    assert ran.wait_ns >= 0


def test_a_recorded_tree_and_a_process_that_is_gone(tmp_path):
    for tid, text in ((5, "100 20 3"), (6, "7 1 1")):
        (tmp_path / f"5/task/{tid}").mkdir(parents=True)
        (tmp_path / f"5/task/{tid}/schedstat").write_text(text)
        switches = "voluntary_ctxt_switches:\t9\nnonvoluntary_ctxt_switches:\t1\n"
        (tmp_path / f"5/task/{tid}/status").write_text(f"Name:\tx\n{switches}")
    (tmp_path / "5/task/8").mkdir()
    assert scheduled(5, tmp_path, 7) == Scheduled(7, 107, 21, 4, 2)
    assert scheduled(9, tmp_path, 7) == Scheduled(7, 0, 0, 0, 0)
    assert task_ids(9, tmp_path) == frozenset()


def test_contended_is_more_wait_than_a_tenth_of_the_cpu():
    assert contended(Scheduled(1, 1000, 101, 0, 0))
    assert not contended(Scheduled(1, 1000, 100, 0, 0))
    assert not contended(Scheduled(1, 0, 40, 0, 0))


def test_waits_after_preemptions_are_told_by_how_many_there_were():
    assert Scheduled(1, 1000, 100, 10, 4).preempted_ns == 40
    assert Scheduled(1, 0, 100, 0, 0).preempted_ns == 0
