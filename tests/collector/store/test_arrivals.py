"""Threads that wait for batches are told of those with requests."""

import threading

from collector.store.arrivals import Arrivals


def test_only_requests_are_told_of() -> None:
    arrivals = Arrivals(lambda: 7.0)
    arrivals.note("metrics")
    assert arrivals.newest_s == float("-inf") and not arrivals.wait_past(arrivals.newest_s, 0.01)
    arrivals.note("requests")
    assert arrivals.newest_s == 7.0
    assert arrivals.wait_past(6.0, 0) and not arrivals.wait_past(7.0, 0.01)


def test_a_thread_that_waits_is_woken() -> None:
    arrivals = Arrivals()
    found: list[bool] = []
    thread = threading.Thread(target=lambda: found.append(arrivals.wait_past(float("-inf"), 60)))
    thread.start()
    arrivals.note("requests")
    thread.join()
    assert found == [True]
