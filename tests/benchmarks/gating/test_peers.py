"""What the peers' numbers come to."""

from benchmarks.gating.peers import verdicts

NUMBERS = {"base": 100.0, "same-0": 100.1, "comment-0": 100.3, "a": 100.3, "b": 103.0, "c": 99.0}


def test_numbers_are_compared_with_the_bases_at_the_budget() -> None:
    planted = {"a": 0.003, "b": 0.03, "c": 0.003}
    assert verdicts(NUMBERS, "base", ["same-0", "comment-0"], planted, 0.002) == {
        "pairs": 2,
        "aa_false": 1,
        "found": {"0.3": 0.5, "3": 1.0},
    }
