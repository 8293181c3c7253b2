"""Few threads while it is quiet, more when there is need of them, never too many."""

import threading

import pytest

from collector.threads import Threads

PATIENCE_S = 60


class Work:
    """A task that may stand still; knows which thread did it."""

    def __init__(self, stands: bool = False, error: bool = False) -> None:
        self.begun, self.go_on, self.done = (threading.Event() for _ in range(3))
        self.thread: threading.Thread | None = None
        self.cancelled = False
        self._error = error
        if not stands:
            self.go_on.set()

    def service(self) -> None:
        self.thread = threading.current_thread()
        self.begun.set()
        assert self.go_on.wait(PATIENCE_S)
        self.done.set()
        if self._error:
            raise SystemExit("the task's own affair")

    def cancel(self) -> None:
        self.cancelled = True


def idle(threads, number):
    while len(threads._idle) < number:
        threads._started[0].join(0.001)


def test_one_after_the_other_is_done_by_one_thread():
    threads, works = Threads(10), [Work() for _ in range(20)]
    for work in works:
        threads.add_task(work)
        assert work.done.wait(PATIENCE_S)
        idle(threads, 1)
    assert len({work.thread for work in works}) == 1
    threads.shutdown()


def test_the_thread_that_was_busy_last_is_the_next():
    threads, works = Threads(10), [Work(stands=True) for _ in range(5)]
    for work in works:
        threads.add_task(work)
        assert work.begun.wait(PATIENCE_S)
    for number, at in enumerate((3, 0, 4, 2, 1), 1):
        works[at].go_on.set()
        idle(threads, number)
    last = Work()
    threads.add_task(last)
    assert last.done.wait(PATIENCE_S)
    assert last.thread is works[1].thread
    threads.shutdown()


def test_what_comes_past_the_most_waits_in_order():
    threads, works = Threads(3), [Work(stands=True) for _ in range(9)]
    for work in works:
        threads.add_task(work)
    for work in works[:3]:
        assert work.begun.wait(PATIENCE_S)
    assert not any(work.begun.is_set() for work in works[3:])
    works[1].go_on.set()
    assert works[3].begun.wait(PATIENCE_S)
    assert not works[4].begun.is_set()
    for work in works:
        work.go_on.set()
    assert all(work.done.wait(PATIENCE_S) for work in works)
    assert len({work.thread for work in works}) == 3
    threads.shutdown()


@pytest.mark.parametrize("count", [1, 4])
def test_a_task_that_fails_takes_no_thread_with_it(count, caplog):
    threads = Threads(count)
    for _ in range(3):
        failed, work = Work(error=True), Work()
        threads.add_task(failed)
        threads.add_task(work)
        assert failed.done.wait(PATIENCE_S)
        assert work.done.wait(PATIENCE_S)
    threads.shutdown()
    assert "could not be answered" in caplog.text
    assert len(threads._started) <= count


def test_at_the_end_threads_end_and_what_waits_is_cancelled():
    threads, busy, waits = Threads(2), Work(stands=True), [Work() for _ in range(3)]
    quick = Work()
    threads.add_task(busy)
    assert busy.begun.wait(PATIENCE_S)
    threads.add_task(quick)
    assert quick.done.wait(PATIENCE_S)
    idle(threads, 1)
    blocked = Work(stands=True)
    threads.add_task(blocked)
    assert blocked.begun.wait(PATIENCE_S)
    for work in waits:
        threads.add_task(work)
    ending = threading.Thread(target=threads.shutdown, kwargs={"timeout": PATIENCE_S})
    ending.start()
    while not all(work.cancelled for work in waits):
        ending.join(0.001)
    busy.go_on.set()
    blocked.go_on.set()
    ending.join(PATIENCE_S)
    assert not ending.is_alive()
    assert not any(thread.is_alive() for thread in threads._started)
    assert not any(work.done.is_set() for work in waits)
