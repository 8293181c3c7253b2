from contextlib import closing

from benchmarks.query import Took, as_json
from benchmarks.querying.generate import NOW_MS, SERVICE, Size, made, seconds_of
from benchmarks.querying.reads import ENDPOINT, READS
from collector.answers.endpoints import endpoints
from collector.answers.functions import functions
from collector.answers.records import Window
from collector.answers.series import series
from collector.answers.windows import parse_window
from collector.store.store import open_store

SMALL = Size(
    endpoints=30, hour_days=1, minute_days=1, hosts=5, requests_per_s=1, minutes_active=0.01,
    hours_active=0.2, sample_rows=1,
)  # fmt: skip
HOUR = Window(NOW_MS - 3_600_000, NOW_MS)


def took(*walls_ms):
    return [Took(wall_ms, wall_ms / 2) for wall_ms in walls_ms]


def test_the_last_line_names_the_slowest_read_and_pairs_with_the_small_store():
    full = {"a": took(10.0, 20.0, 30.0), "b": took(5.0, 5.0, 6.0)}
    small = {"a": took(10.0, 10.0, 10.0), "b": took(5.0, 5.0, 5.0)}
    found = as_json(full, small, rows=7, disk_bytes=2_000_000_000, made_s=60.4)
    assert (found["slowest"], found["p95_ms"], found["disk_gb"]) == ("a", 29.0, 2.0)
    assert (found["reads"]["a"]["growth_10x"], found["reads"]["a"]["cpu_ms"]) == (2.0, 10.0)
    assert found["made_s"] == 60
    assert (found["growth_10x"], found["growth_10x_most"]) == (1.5, 2.0)


def test_a_store_is_made_once_and_every_read_of_a_page_answers(tmp_path):
    said: list[str] = []
    data = made(tmp_path, "small", SMALL, said.append)
    steps = len(said)
    assert made(tmp_path, "small", SMALL, said.append) == data
    assert len(said) == steps > 0
    with closing(open_store(data)) as store:
        rows = {row["name"]: row["rows"] for row in store.query("table_sizes").to_pylist()}
        assert rows["requests"] == 3_600
        assert rows["stack_samples"] == 5 * 360
        filled = ["endpoint_hours", "endpoint_minutes", "endpoint_steps", "host_minutes"]
        filled += ["stacks", "metrics", "function_hours", "function_marks"]
        assert min(rows[name] for name in filled) > 0
        assert rows["service_days"] >= 5 * 3
        for read in READS.values():
            assert not read(store).truncated
        assert sum(row.requests for row in endpoints(store, HOUR, SERVICE).data) == 3_600
        month = functions(
            store, parse_window("-30d", "now", NOW_MS), service=SERVICE, endpoint=ENDPOINT
        )
        assert {cost.function.partition(":")[2] for cost in month.data} == {
            f"part{number}" for number in range(40)
        }
        for start in ("-24h", "-30d"):
            window = parse_window(start, "now", NOW_MS)
            whole = sum(row.requests for row in endpoints(store, window, SERVICE).data)
            assert whole > 3_600
            assert whole == sum(point.requests for point in series(store, window, SERVICE).data)
    assert seconds_of(data) > 0
