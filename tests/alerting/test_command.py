"""`dynoscope rules check`."""

from pathlib import Path

from click.testing import CliRunner

from alerting.command import rules
from alerting.rulebook import BUNDLED_DIR


def test_good_files_pass() -> None:
    files = [str(file) for file in sorted(BUNDLED_DIR.glob("*.yaml"))]
    result = CliRunner().invoke(rules, ["check", *files])
    assert result.exit_code == 0
    assert "slos.yaml: 5 SLOs, 0 alert rules, all good" in result.output


def test_a_broken_file_is_named_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("slos:\n  - {name: a, objective: 99%}\n")
    result = CliRunner().invoke(rules, ["check", str(file), str(tmp_path / "none.yaml")])
    assert result.exit_code == 1
    assert f"{file}:2: slos.0: Field required: good" in result.output
    assert "none.yaml:1: cannot be read" in result.output
