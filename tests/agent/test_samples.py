import pytest

from agent.requests import Identity
from agent.sampler import Window
from agent.samples import WorkerView, foreign_samples, sampled
from agent.stacks import Modules, RawFrame, RawStack
from agent.tables import table_of_rows

WORKER = WorkerView(9, 100, 2, "r1", Identity("shop", "web-1", "eu"), "/srv/app")
ENDPOINT = RawFrame("GET /feed", "<endpoint>", 1)


def frames(*names, line=1):
    return (ENDPOINT, *(RawFrame(name, "/srv/app/feed.py", line) for name in names))


def test_rows_of_a_window():
    stacks = (
        RawStack(100, frames("view", "rank", line=5), 30),
        RawStack(100, frames("view", "rank", line=7), 10),
        RawStack(101, frames("view"), 4),
        RawStack(100, (RawFrame("main", "/srv/app/main.py", 3),), 2),
    )
    window = Window(100, 5 * 10**9, 90, 10, 77, stacks)
    out = sampled(
        WORKER, window, Modules("/srv/app"),
        started_ms=1_000, window_ms=6_000, weight_s=0.5, contended=True,
    )  # fmt: skip
    assert out.idle_ticks == 90 - 46
    rows = {(row["endpoint"], row["samples"]): row for row in out.rows}
    assert set(rows) == {("GET /feed", 40), ("GET /feed", 4), ("", 2)}
    row = rows["GET /feed", 40]
    assert row["weight_s"] == pytest.approx(20)
    assert (row["contended"], row["late_ns"], row["window_ms"], row["pid"]) == (1, 77, 6_000, 100)
    stack = out.stacks[row["stack_id"]]
    assert stack.frames == ("feed:view", "feed:rank")
    assert stack.lines == (5, 5)
    assert table_of_rows("stack_samples", out.rows).num_rows == 3


def test_samples_of_threads_that_the_worker_has_not():
    stacks = [RawStack(100, frames("a"), 3), RawStack(7, frames("a"), 5), RawStack(0, (), 9)]
    assert foreign_samples(stacks, frozenset({100})) == 5
