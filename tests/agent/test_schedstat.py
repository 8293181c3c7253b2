import os
from pathlib import Path
from threading import Event, Thread

from agent.schedstat import contended, schedstat, task_ids

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
    before = schedstat(os.getpid(), PROC)
    sum(range(10**6))
    after = schedstat(os.getpid(), PROC)
    assert after[0] > before[0] > 0
    assert after[1] >= before[1]


def test_a_recorded_tree_and_a_process_that_is_gone(tmp_path):
    for tid, text in ((5, "100 20 3"), (6, "7 1 1")):
        (tmp_path / f"5/task/{tid}").mkdir(parents=True)
        (tmp_path / f"5/task/{tid}/schedstat").write_text(text)
    (tmp_path / "5/task/8").mkdir()
    assert schedstat(5, tmp_path) == (107, 21)
    assert schedstat(9, tmp_path) == (0, 0)
    assert task_ids(9, tmp_path) == frozenset()


def test_contended_is_more_wait_than_a_tenth_of_the_cpu():
    assert contended((100, 50), (1100, 151))
    assert not contended((100, 50), (1100, 150))
    assert not contended((100, 50), (100, 90))
