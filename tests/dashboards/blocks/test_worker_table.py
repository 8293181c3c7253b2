from dashboards.blocks.worker_table import worker_table
from tests.dashboards.reading import text
from tests.dashboards.records import NOW_MS, host, worker


def shown(*workers):
    return " ".join(text(worker_table([host(each_worker=workers)], NOW_MS)).split())


def test_a_worker_has_its_python_its_numbers_and_when_its_stacks_were_taken():
    seen = shown(worker())
    for part in (
        "web-1",
        "4711",
        "cpython 3.11.7",
        "35%",
        "128",
        "4 s ago",
        "2 min ago",
        "nothing",
    ):
        assert part in seen
    assert "worker_rss_bytes" in seen


def test_what_is_in_the_way_of_stacks_stands_there_with_each_reason():
    seen = shown(worker(thread_ids="wrong", reason="app.ini lacks `x`; no stats socket"))
    assert "wrong thread ids" in seen
    assert "app.ini lacks `x` no stats socket" in seen
    assert "no permission" in shown(worker(permission="no"))


def test_a_worker_of_which_little_is_known():
    seen = shown(worker(pid=0, idle_s=-1.0, profiled_ms=0, metrics={}))
    assert "?" in seen and "not yet" in seen and "numbers" not in seen


def test_no_worker_says_so():
    assert "No agent told of a worker" in shown()
