"""The end of a story as text: found, delivered, checked, and nothing taken for markup."""

import io

from rich.console import Console

from demo_stack.checks import FEED, Check, Seen
from demo_stack.report import story_report
from demo_stack.story import Outcome

ENDPOINT = {
    "endpoint": FEED,
    "unit": "cpu_ns",
    "cost_a": 9_000_000,
    "cost_b": 11_250_000,
    "relative": {"value": 0.25, "low": 0.21, "high": None},
}
COMPARISON = {
    "a": "release:r1",
    "b": "release:r2",
    "headline": "the feed costs [b]more[/b]",
    "endpoints": [ENDPOINT],
    "guilty": {"function": "photos.ranking.one:planted", "rise_share": 0.97},
    "deploy": {"previous": "r1", "release": "r2", "note": "rolling"},
}
ALERTS = [
    {"arrived_ms": 61_000, "alert": {"state": "firing", "rule": "cost", "summary": "dear: [i]"}},
    {"arrived_ms": 91_000, "alert": {"state": "resolved", "rule": "cost", "summary": "Over: x"}},
]


def shown(comparison, alerts, cpu: float) -> str:
    seen = Seen(comparison, alerts, {"requests": 1234, "seconds": 60.0, "failures": 0}, 1_000)
    checks = [Check("found", True, "yes"), Check("quiet", False, "two")]
    out = io.StringIO()
    Console(file=out, width=140).print(
        story_report(Outcome(seen, checks, cpu), "http://x/?token=t")
    )
    return out.getvalue()


def test_everything_is_told():
    text = shown(COMPARISON, ALERTS, 0.5)
    for part in (
        "release r2 against release r1",
        "the feed costs [b]more[/b]",
        "9.00 ms of CPU -> 11.25 ms of CPU per request, +25.0%",
        "+21.0% to unknown",
        "photos.ranking.one:planted: 97% of the rise",
        "r1 -> r2, rolling",
        "+60 s",
        "cost: dear: [i]",
        "cost: Over.",
        "FAILED",
        "1,234 requests in 60 s, 0 failed; the machine was 50% busy.",
        "http://x/?token=t",
    ):
        assert part in text, part


def test_nothing_found_and_a_busy_machine():
    nothing = {
        **COMPARISON,
        "headline": "no change",
        "endpoints": [],
        "guilty": None,
        "deploy": None,
    }
    text = shown(nothing, [], 0.9)
    assert "No alert was delivered." in text
    assert "90% busy, above 70%" in text
