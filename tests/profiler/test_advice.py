"""The rules over a pool whose numbers are those of a small host, one thing changed at a time."""

from dataclasses import replace

import pytest

from profiler.advice import advise, needed_workers, sizes
from profiler.pool import Pool

MB = 1e6
#: 8 cores, 8 GB: requests of 20 ms, 10 ms of it CPU.
POOL = Pool(
    service="shop", host="web-1", seconds=3600, requests=360_000, peak_per_s=200, wall_ns=20e6,
    wall_cv2=1, cpu_ns=10e6, cpu_cv2=1, outside_ns=8e6, gc_ns=0.1e6, workers=16, threads=1,
    busy_mean=9, busy_max=11, cores=8, host_cpu_share=0.4, memory_bytes=8000 * MB,
    memory_used_bytes=4300 * MB, private_bytes=150 * MB, private_max_bytes=200 * MB,
    private_first_bytes=100 * MB, shared_bytes=300 * MB, growth_bytes_per_request=10,
    listen_queue_max=3, listen_queue_room=100, listen_queue_errors=0, respawns_per_h=0,
)  # fmt: skip


def of(pool: Pool, setting: str):
    (found,) = (one for one in advise(pool) if one.setting == setting)
    return found


def test_numbers_of_processes():
    size = sizes(POOL)
    # 8 * (1 + 10 / 10); others use 4300 - 16 * 150 - 300 = 1600: (8000 * 0.9 - 1600 - 300) / 200
    assert (size.cpu_bound, size.memory_bound, size.processes) == (16, 26, 16)
    assert size.needed_peak == needed_workers(200, 20e6) == 8  # 4 busy + 2 * sqrt(4)


def test_waits_for_a_core_are_no_reason_for_more_processes():
    busy = replace(POOL, host_cpu_share=0.95, wall_ns=80e6)
    assert sizes(busy).cpu_bound == 15  # 8 * (1 + 8 / 10)
    assert sizes(replace(POOL, wall_ns=80e6)).cpu_bound == 64


def test_memory_bounds_the_processes():
    small = replace(POOL, memory_bytes=4500 * MB)
    found = of(small, "processes")
    assert (found.state, found.line) == ("change", "processes = 10")
    assert "room for 10" in found.reason and found.numbers["memory_bound"] == 10


def test_a_pool_that_is_right_stays():
    states = {one.setting: one.state for one in advise(POOL)}
    assert states == {
        "processes": "keep", "threads": "keep", "cheaper": "keep", "reload-on-rss": "change",
        "max-requests": "keep", "listen": "keep", "gc.freeze before fork": "keep",
    }  # fmt: skip
    assert of(POOL, "reload-on-rss").line == "reload-on-rss = 603"  # (300 + 5300 / 16) in MiB


@pytest.mark.parametrize(
    ("changes", "setting", "line", "words"),
    [
        ({"busy_max": 16, "cpu_ns": 4e6, "memory_bytes": 4500 * MB}, "threads", "threads = 4",
         "Workers starve"),
        ({"busy_max": 16, "cpu_ns": 4e6}, "threads", "threads = 2", "Workers starve"),
        ({"busy_max": 16, "cpu_ns": 4e6, "memory_bytes": 64000 * MB}, "threads", "",
         "take more processes"),
        ({"busy_max": 16, "host_cpu_share": 0.9}, "threads", "", "the GIL"),
        ({"busy_mean": 2}, "cheaper", "cheaper = 5", "idle ones hold memory"),
        ({"busy_mean": 2, "memory_bytes": 64000 * MB}, "cheaper", "", "not short"),
        ({"private_max_bytes": 20 * MB}, "reload-on-rss", "", "no limit is needed"),
        ({"growth_bytes_per_request": 5000}, "max-requests", "max-requests = 46250",
         "5000 bytes a request"),
        ({"growth_bytes_per_request": 5e6}, "max-requests", "max-requests = 1000", "mend"),
        ({"growth_bytes_per_request": -3}, "max-requests", "", "win nothing"),
        ({"listen_queue_max": 80}, "listen", "listen = 1024", "net.core.somaxconn"),
        ({"listen_queue_errors": 2, "peak_per_s": 3000}, "listen", "listen = 4096", "turned away"),
        ({"listen_queue_max": 900, "listen_queue_room": 1024}, "listen", "", "more processes"),
        ({"shared_bytes": 20 * MB}, "gc.freeze before fork", "lazy-apps = false", "gc.freeze()"),
        ({"shared_bytes": 20 * MB, "workers": 1}, "gc.freeze before fork", "", "12%"),
    ],
)  # fmt: skip
def test_a_rule(changes, setting, line, words):
    found = of(replace(POOL, **changes), setting)
    assert (found.line, found.state) == (line, "change" if line else "keep")
    assert words in found.reason and found.reason.endswith(".")


def test_what_was_not_measured_is_said_and_not_guessed():
    bare = Pool("shop", "web-1", 60, 600, 10, 20e6, 1, 10e6, 1, 0)
    found = advise(bare)
    assert {one.state for one in found} == {"not measured"}
    assert all(one.line == "" and one.reason.startswith("Not measured: ") for one in found)
    no_memory = replace(POOL, private_bytes=float("nan"), private_max_bytes=float("nan"))
    processes = of(no_memory, "processes")
    assert processes.state == "keep" and "memory allows was not measured" in processes.reason
    assert of(no_memory, "reload-on-rss").state == "not measured"
