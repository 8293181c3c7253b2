"""`dynoscope demo ...` from the outside."""

import json
from pathlib import Path

from click.testing import CliRunner, Result

from demo_stack.command import demo
from demo_stack.stack import Stack
from demo_stack.state import read_state


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(demo, arguments)


def test_nothing_runs(tmp_path: Path):
    home = str(tmp_path / "demo")
    assert invoke("status", "--home", home).exit_code == 1
    assert "nothing of this demo runs" in invoke("down", "--home", home).output
    for arguments in (("deploy", "r2"), ("fault", "slow-query"), ("load", "--seconds", "1")):
        result = invoke(*arguments, "--home", home)
        assert result.exit_code == 2
        assert "start it with `dynoscope demo up`" in result.output


def test_status_tells_every_process(stack: Stack):
    result = invoke("status", "--json", "--home", str(stack.home))
    rows = {row["name"]: row for row in json.loads(result.output)}
    assert result.exit_code == 0
    assert rows["edge"]["port"] == stack.state.ports["edge"]
    assert rows["web-1"]["release"] == stack.state.releases["web-1"]
    assert all(row["running"] for row in rows.values())
    assert "postgres" in invoke("status", "--home", str(stack.home)).output


def test_fault_and_mending(stack: Stack):
    assert "in force" in invoke("fault", "slow-query", "--home", str(stack.home)).output
    assert "mended" in invoke("fault", "slow-query", "--mend", "--home", str(stack.home)).output


def test_load_prints_a_summary(stack: Stack):
    result = invoke("load", "--seconds", "2", "--rate", "10", "--home", str(stack.home))
    assert result.exit_code == 0, result.output
    summary = json.loads(result.output[result.output.index("{") :])
    assert summary["requests"] > 0
    assert summary["failures"] == 0
    stored = read_state(stack.home)
    assert stored is not None
    assert "load" not in [process.name for process in stored.processes]
    # The fixture's own copy of the state does not know that anything was started in between.
    assert "load" not in stack.running()


def test_a_name_that_is_no_release(stack: Stack):
    result = invoke("deploy", "../r2", "--home", str(stack.home))
    assert result.exit_code == 2
    assert "cannot name a release" in result.output


def test_a_folder_of_something_else_is_refused(tmp_path: Path):
    (tmp_path / "thesis.txt").write_text("mine")
    result = invoke("up", "--home", str(tmp_path))
    assert result.exit_code == 2
    assert "holds something else" in result.output
