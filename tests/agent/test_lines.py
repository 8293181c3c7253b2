from agent.lines import LineCount, less, line_counts, line_rows, plus
from agent.requests import Identity
from agent.stacks import Modules, RawFrame, RawStack
from agent.tables import table_of_rows

WHO = Identity("shop", "web-1", "eu")
MODULES = Modules("/srv/app\n/usr/lib/python3.11")
ENDPOINT = RawFrame("GET /feed", "<endpoint>", 1)


def frame(name, line, file="/srv/app/feed.py"):
    return RawFrame(name, file, line)


def counted(*stacks, weight_s=0.5):
    found = line_counts(stacks, MODULES, WHO, "r1", weight_s)
    return {(one.endpoint, one.function, one.line): count for one, count in found.items()}


def test_lines_of_one_stack_stay_apart_and_callees_count_to_the_calling_line():
    assert counted(
        RawStack(1, (ENDPOINT, frame("view", 3), frame("rank", 7)), 4),
        RawStack(1, (ENDPOINT, frame("view", 3), frame("rank", 8)), 2),
        RawStack(2, (ENDPOINT, frame("view", 4)), 1),
    ) == {
        ("GET /feed", "feed:view", 3): LineCount(6, 0, 3.0),
        ("GET /feed", "feed:view", 4): LineCount(1, 1, 0.5),
        ("GET /feed", "feed:rank", 7): LineCount(4, 4, 2.0),
        ("GET /feed", "feed:rank", 8): LineCount(2, 2, 1.0),
    }


def test_recursion_counts_once_at_the_innermost_call():
    stack = RawStack(1, (ENDPOINT, frame("walk", 9), frame("walk", 9), frame("walk", 2)), 5)
    assert counted(stack) == {("GET /feed", "feed:walk", 2): LineCount(5, 5, 2.5)}


def test_only_own_code_has_lines_and_the_innermost_endpoint_names_it():
    stack = RawStack(
        1,
        (
            ENDPOINT,
            frame("view", 3),
            RawFrame("graphql Feed", "<endpoint>", 1),
            frame("rank", 7),
            frame("loads", 40, "/usr/lib/python3.11/json/__init__.py"),
        ),
        2,
    )
    assert counted(stack) == {
        ("graphql Feed", "feed:view", 3): LineCount(2, 0, 1.0),
        ("graphql Feed", "feed:rank", 7): LineCount(2, 0, 1.0),
    }


def test_what_is_added_can_be_taken_away():
    one, other = LineCount(3, 1, 0.5), LineCount(2, 2, 0.25)
    assert plus(None, one) == one
    assert less(plus(one, other), other) == one
    assert less(one, one) is None


def test_rows_have_every_column():
    lines = line_counts([RawStack(1, (ENDPOINT, frame("rank", 7)), 4)], MODULES, WHO, "r1", 0.5)
    (row,) = table_of_rows("line_samples", line_rows(lines, 1_000)).to_pylist()
    assert row == {
        "ts_ms": 1_000, "service": "shop", "host": "web-1", "region": "eu", "release": "r1",
        "endpoint": "GET /feed", "function": "feed:rank", "file": "/srv/app/feed.py", "line": 7,
        "samples": 4, "self_samples": 4, "weight_s": 2.0,
    }  # fmt: skip
