"""The rules follow their files; a broken file costs nothing but its change."""

import os
from pathlib import Path

from alerting.rulebook import BUNDLED_DIR, RuleBook

SLO = "slos:\n  - {name: NAME, objective: 99%, good: no crash}\n"


def write(file: Path, text: str) -> None:
    """Also moves the time on: two writes within one tick of the file system look alike."""
    later = file.stat().st_mtime_ns + 10**9 if file.exists() else None
    file.write_text(text)
    if later:
        os.utime(file, ns=(later, later))


def test_the_bundled_rules_are_good() -> None:
    rules = RuleBook([BUNDLED_DIR]).refresh()
    assert rules.problems == ()
    assert set(rules.names()) >= {
        "feed-latency",
        "upload-success",
        "crash-rate",
        "availability",
        "cost-between-releases",
    }
    assert [slo.objective for slo in rules.slos] == [0.99, 0.999, 0.999, 0.9999, 0.9999]
    assert rules.costs[0].budget == 0.05


def test_files_are_read_again_when_they_change_and_dropped_when_they_go(tmp_path: Path) -> None:
    book = RuleBook([tmp_path])
    assert book.refresh().names() == ()
    write(tmp_path / "a.yaml", SLO.replace("NAME", "one"))
    first = book.refresh()
    assert first.names() == ("one",)
    assert book.refresh() is first
    write(tmp_path / "a.yaml", SLO.replace("NAME", "two"))
    write(tmp_path / "b.yaml", SLO.replace("NAME", "three"))
    write(tmp_path / "b_test.yaml", "this: is no rule file")
    assert book.refresh().names() == ("two", "three")
    (tmp_path / "a.yaml").unlink()
    assert book.refresh().names() == ("three",)
    assert book.current.names() == ("three",)


def test_a_broken_file_keeps_its_last_good_version(tmp_path: Path) -> None:
    book = RuleBook([tmp_path])
    write(tmp_path / "a.yaml", SLO.replace("NAME", "one"))
    book.refresh()
    write(tmp_path / "a.yaml", "slos: 5\n")
    rules = book.refresh()
    assert rules.names() == ("one",)
    (problem,) = rules.problems
    assert (problem.file, problem.line) == (str(tmp_path / "a.yaml"), 1)
    write(tmp_path / "a.yaml", SLO.replace("NAME", "one"))
    assert book.refresh().problems == ()


def test_a_rule_of_ones_own_replaces_the_bundled_one(tmp_path: Path) -> None:
    text = SLO.replace("NAME", "availability").replace("99%", "95%")
    write(tmp_path / "mine.yaml", text)
    rules = RuleBook([BUNDLED_DIR, tmp_path]).refresh()
    assert {slo.name: slo.objective for slo in rules.slos}["availability"] == 0.95
    assert len(rules.names()) == len(RuleBook([BUNDLED_DIR]).refresh().names())


def test_the_same_name_in_two_files_is_a_problem(tmp_path: Path) -> None:
    write(tmp_path / "a.yaml", SLO.replace("NAME", "one"))
    write(tmp_path / "b.yaml", SLO.replace("NAME", "one").replace("99%", "95%"))
    rules = RuleBook([tmp_path]).refresh()
    assert [slo.objective for slo in rules.slos] == [0.99]
    assert "a.yaml already" in rules.problems[0].message


def test_what_cannot_be_read_is_a_problem_not_a_failure(tmp_path: Path) -> None:
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "large.yaml").write_text("#" * 1_000_001)
    (tmp_path / "gone.yaml").symlink_to(tmp_path / "nowhere")
    rules = RuleBook([tmp_path, tmp_path / "missing"]).refresh()
    assert len(rules.problems) == 4
    assert any("not there" in problem.message for problem in rules.problems)


def test_the_window_of_all_slos_can_be_set(tmp_path: Path) -> None:
    rules = RuleBook([BUNDLED_DIR], window_s=3_600).refresh()
    assert {slo.window_s for slo in rules.slos} == {3_600}
