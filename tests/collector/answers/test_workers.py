import pytest

from collector.answers.hosts import hosts
from collector.answers.records import Window
from tests.collector import rows
from tests.collector.rows import START_MS

NEXT_MS = 1_800_000
WORDS = ["release=r1", "runtime=cpython 3.11.7", "unit=cpu_ns", "permission=yes"]


@pytest.fixture
def service(request):
    """Each test has one of its own: they share the store."""
    return request.node.originalname


@pytest.fixture
def say(store, service):
    batches = iter(range(1_000))

    def tell(name, value, pid, worker, *words, at_ms=0, source="worker"):
        labels = sorted([f"pid={pid}", f"worker={worker}", *words])
        told = {"start_ms": START_MS + at_ms, "labels": labels, "source": source}
        table = rows.metric_rows(name, [value], service=service, **told)
        store.insert("metrics", table, f"{service}-{next(batches)}")

    return tell


def test_each_worker_has_its_words_and_its_newest_numbers(store, say, service):
    say("worker_state", 1, 70, 2, *WORDS, "thread_ids=unknown", "reason=")
    say("worker_state", 1, 70, 2, *WORDS, "thread_ids=wrong", "reason=a; b", at_ms=15_000)
    say("worker_state", 1, 69, 1, *WORDS, "thread_ids=right", "reason=", at_ms=15_000)
    say("worker_idle_s", 3.5, 70, 2, at_ms=15_000)
    say("worker_profiled_ms", START_MS, 70, 2)
    say("worker_rss_bytes", 5e6, 70, 2)
    say("worker_rss_bytes", 7e6, 70, 2, at_ms=5_000)
    say("uwsgi_busy_share", 0.4, 70, 2, "uwsgi=told-1", source="uwsgi")
    (host,) = hosts(store, Window(START_MS, START_MS + NEXT_MS), service).data
    first, second = host.each_worker
    assert (first.pid, first.worker, first.thread_ids, first.idle_s) == (69, 1, "right", -1.0)
    assert (second.pid, second.thread_ids, second.reason) == (70, "wrong", "a; b")
    assert (second.release, second.runtime, second.cost_unit) == ("r1", "cpython 3.11.7", "cpu_ns")
    assert (second.permission, second.idle_s, second.profiled_ms) == ("yes", 3.5, START_MS)
    assert second.metrics == {"uwsgi_busy_share": 0.4, "worker_rss_bytes": 7e6}
    assert host.metrics == {}, "what a worker has is not told twice"
    assert host.last_ms == START_MS + 15_000


def test_of_a_host_that_speaks_only_its_newest_minutes_count(store, say, service):
    """Of one that fell silent all is shown that it said in the window."""
    say("worker_state", 1, 70, 1, *WORDS)
    say("worker_rss_bytes", 5e6, 70, 1)
    (silent,) = hosts(store, Window(START_MS, START_MS + NEXT_MS), service).data
    assert silent.each_worker[0].metrics == {"worker_rss_bytes": 5e6}
    say("worker_state", 1, 70, 1, *WORDS, at_ms=NEXT_MS - 1_000)
    say("worker_idle_s", 2.0, 70, 1, at_ms=NEXT_MS - 1_000)
    (speaks,) = hosts(store, Window(START_MS, START_MS + NEXT_MS), service).data
    assert [(one.pid, one.idle_s, one.metrics) for one in speaks.each_worker] == [(70, 2.0, {})]
    assert speaks.last_ms == START_MS + NEXT_MS - 1_000


def test_a_worker_that_is_no_more_is_left_out(store, say, service):
    say("worker_state", 1, 70, 1, *WORDS)
    say("worker_state", 1, 71, 1, *WORDS, at_ms=600_000)
    (host,) = hosts(store, Window(START_MS, START_MS + NEXT_MS), service).data
    assert [one.pid for one in host.each_worker] == [71]
