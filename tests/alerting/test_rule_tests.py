"""`dynoscope rules test`: series in, alerts expected, judged by the real evaluator."""

from pathlib import Path

from click.testing import CliRunner

from alerting.command import rules
from alerting.rule_tests import run_rule_tests

RULES = """\
slos:
  - {name: feed, endpoint: GET /feed/, target: p99 < 500 ms}
alerts:
  - {name: busy, kind: threshold, metric: busy_share, by: [host], above: 0.9, over: 1m, for: 1m}
  - {name: new, kind: new-error, learn: 5m}
"""
TESTS = """\
rules: [mine.yaml]
every: 1m
tests:
  - name: a slow feed pages and resolves
    slo_window: 1h
    series:
      - {requests: GET /feed/, from: 0m, for: 8m, per_s: 5, wall: 40 ms}
      - {requests: GET /feed/, from: 8m, for: 1m, per_s: 5, wall: 700 ms}
      - {requests: GET /feed/, from: 9m, for: 6m, per_s: 5, wall: 40 ms}
      - {metric: busy_share, host: web-1, from: 3m, for: 12m, value: 0.95}
      - {error: KeyError, from: 8m, for: 1m, events: 2}
    expect:
      - {at: 3m, firing: []}
      - {at: 9m, firing: [{rule: feed, severity: page}, {rule: busy, labels: {host: web-1}},
                          {rule: new}]}
      - {at: 15m, firing: [{rule: busy}, {rule: new}]}
"""


def write(folder: Path, tests: str) -> Path:
    (folder / "mine.yaml").write_text(RULES)
    file = folder / "mine_test.yaml"
    file.write_text(tests)
    return file


def test_what_comes_out_as_expected_passes(tmp_path: Path) -> None:
    result = CliRunner().invoke(rules, ["test", str(write(tmp_path, TESTS))])
    assert result.exit_code == 0, result.output
    assert "1 passed, 0 failures" in result.output


def test_what_does_not_is_named_with_its_line(tmp_path: Path) -> None:
    wrong = TESTS.replace(
        "at: 9m, firing: [{rule: feed, severity: page}", "at: 9m, firing: [{rule: hay}"
    )
    run = run_rule_tests(write(tmp_path, wrong.replace("      - {at: 15m", "      # {at: 15m")))
    assert run.passed == 0
    assert [(one.line, one.message.split(": ")[1][:28]) for one in run.failures] == [
        (14, "at 9 min hay does not fire a"),
        (14, "at 9 min feed fires (page)"),
    ]


def test_a_mistake_in_the_file_is_named_with_its_line(tmp_path: Path) -> None:
    for old, new, line, says in (
        ("at: 3m", "at: soon", 13, "not a duration"),
        ("metric: busy_share,", "metric: a, error: b,", 10, "write one of"),
        ("mine.yaml", "none.yaml", 1, "cannot be read"),
        ("name: a slow", "game: a slow", 4, "name"),
    ):
        run = run_rule_tests(write(tmp_path, TESTS.replace(old, new, 1)))
        assert run.failures and run.failures[0].line == line, (old, run.failures)
        assert any(says in str(failure) for failure in run.failures), (old, run.failures)
