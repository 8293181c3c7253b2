"""Lines of commit messages."""

import pytest

from profiler.gate.expectations import read_expectations


@pytest.mark.parametrize(
    ("line", "rise", "endpoint", "reason"),
    [
        ("# gate: expect +5% feed because we rank twice", 0.05, "feed", "we rank twice"),
        ("gate: expect 0.5% GET /a/<id>/ because of it", 0.005, "GET /a/<id>/", "of it"),
        ("  #gate: Expect +12.5% search because x", 0.125, "search", "x"),
    ],
)
def test_an_expectation(line: str, rise: float, endpoint: str, reason: str) -> None:
    found, problems = read_expectations([("abc", f"Rank twice\n\nWords.\n{line}\n")])
    assert problems == []
    (one,) = found
    assert (one.rise, one.endpoint, one.reason, one.commit) == (rise, endpoint, reason, "abc")


@pytest.mark.parametrize("line", ["gate: expect feed", "# gate: expect +5% feed", "gate: expect"])
def test_a_line_without_rise_or_reason_is_said(line: str) -> None:
    found, problems = read_expectations([("abc", f"Rank\n\n{line}")])
    assert found == []
    (problem,) = problems
    assert "abc" in problem
    assert "because" in problem


def test_other_messages_hold_none() -> None:
    assert read_expectations([("abc", "Expect more"), ("def", "Investigate: expect")]) == ([], [])
