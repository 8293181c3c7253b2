from pathlib import Path

import numpy as np
import pytest

from agent.activity import Activity
from agent.requests import Identity
from agent.workers import Workers
from dynoscope_probe import layout
from tests.agent.rings import make_ring

WHO = Identity("shop", "h", "")
SECOND = 10**9


@pytest.fixture
def ring(tmp_path):
    return make_ring(tmp_path)


@pytest.fixture
def worker(tmp_path, ring):
    workers = Workers(tmp_path, Path("/proc"))
    workers.look(1)
    (found,) = workers.known.values()
    yield found
    found.ring.close()


def served(*walls_s):
    return np.array([int(one * SECOND) for one in walls_s], np.uint64)


def told(activity, worker, walls_ns, at_s):
    activity.begin()
    series = activity.series(worker, WHO, walls_ns, at_s * SECOND)
    return {one.name: one.value for one in series}


def test_requests_and_busy_share_since_the_last_flush(worker):
    activity = Activity()
    assert told(activity, worker, served(1), 10) == {}, "since when is not known"
    activity.settle()
    assert told(activity, worker, served(1, 0.5), 14) == {
        "worker_requests": 2,
        "worker_busy_share": 0.375,
    }
    assert worker.last_record_ns == 14 * SECOND
    activity.settle()
    assert told(activity, worker, served(), 18) == {"worker_requests": 0, "worker_busy_share": 0}
    assert worker.last_record_ns == 14 * SECOND


def test_a_flush_that_was_refused_is_told_with_the_next(worker):
    activity = Activity()
    told(activity, worker, served(), 10)
    activity.settle()
    assert told(activity, worker, served(2), 14)["worker_busy_share"] == 0.5
    assert told(activity, worker, served(2), 18)["worker_busy_share"] == 0.25


def test_the_share_is_of_all_threads_that_serve_and_never_above_one(worker, ring):
    for thread in (11, 12):
        slot = ring.claim_slot()
        ring.begin(slot, layout.SLOT.pack(1, thread, 1, 0, 0, 0, 0, 0))
    activity = Activity()
    told(activity, worker, served(), 10)
    activity.settle()
    assert told(activity, worker, served(2), 14)["worker_busy_share"] == 0.25
    assert told(activity, worker, served(60), 14)["worker_busy_share"] == 1.0


def test_a_dead_worker_has_no_share(worker):
    activity = Activity()
    told(activity, worker, served(), 10)
    activity.settle()
    worker.alive = False
    assert told(activity, worker, served(2), 14) == {}
