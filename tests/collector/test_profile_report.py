import io
import json

from rich.console import Console

from collector.answers.records import Answer, Profile, ProfiledCaller, ProfiledFunction
from collector.api import answer_json
from collector.profile_report import ROWS_MAX, profile_report


def shown(profile):
    data = json.loads(json.dumps(answer_json(Answer(profile))["data"]))
    console = Console(width=150, record=True, file=io.StringIO())
    console.print(profile_report(data))
    return console.export_text()


def function(number, *callers):
    return ProfiledFunction(f"shop:f[{number}]", 3.0, 2e6, 5e6, 0.25, callers)


def test_functions_their_costs_and_who_calls_them():
    callers = ProfiledCaller("shop:feed", 2.0, 1e6, 4e6), ProfiledCaller("shop:home", 1.0, 1e6, 1e6)
    profile = Profile("shop", "GET /feed", "cpu_ns", 20, 8e6, 7e6, (function(1, *callers),))
    text = shown(profile)
    assert "GET /feed: 20 requests profiled, 8 ms each in 1 functions" in text
    assert "shop:f[1]" in text
    assert "2 ms" in text and "25.0%" in text and "5 ms" in text
    assert "shop:feed and 1 more" in text
    assert "requests without a profiler: 7 ms each" in text


def test_many_functions_are_cut_and_unknown_costs_are_left_out():
    functions = tuple(function(n) for n in range(ROWS_MAX + 4))
    text = shown(Profile("shop", "GET /", "instructions", 1, 8e6, float("nan"), functions))
    assert "4 cheaper functions: --json shows them" in text
    assert "without a profiler" not in text
    assert "M instructions" in text
