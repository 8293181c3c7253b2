"""`.ci/gate`: what it compares with, and that it lets CI go on where there is nothing."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.alerting.gate.repositories import edit, git, repository

ROOT = Path(__file__).parents[3]
ONE_ENDPOINT = """
[app]
application = "shop:application"
[measure]
layouts = 3
warm_up = 3
rounds = 1
[[endpoint]]
name = "GET /items/<number>/"
[[endpoint.request]]
path = "/items/20/"
"""


def with_gate(folder: Path) -> Path:
    """The script and our interpreter, as they lie in this checkout."""
    (folder / ".ci").mkdir()
    shutil.copy(ROOT / ".ci/gate", folder / ".ci")
    (folder / ".venv").symlink_to(ROOT / ".venv")
    return folder


def run(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [folder / ".ci/gate"], capture_output=True, text=True, timeout=1700,
        env={**os.environ, **environment},
    )  # fmt: skip


def goes_on(ended: subprocess.CompletedProcess[str], words: str) -> None:
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("gate: not run: ") and words in ended.stdout
    assert ended.stdout.count("\n") == 1


def test_without_a_repository_it_goes_on(tmp_path: Path) -> None:
    goes_on(run(with_gate(tmp_path), GIT_CEILING_DIRECTORIES="/"), "not a git repository")


def test_in_a_shallow_clone_it_goes_on(tmp_path: Path) -> None:
    app = repository(tmp_path / "app", "flask_app")
    edit(app, "catalogue.py", "7919", "7907")
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{app}", "clone")
    goes_on(run(with_gate(tmp_path / "clone")), "fetch with more history")


def test_before_there_was_a_gate_it_goes_on(tmp_path: Path) -> None:
    app = repository(tmp_path / "app", "flask_app")
    git(app, "rm", "-q", "gate.toml")
    git(app, "commit", "-q", "-m", "Gate nothing")
    git(app, "update-ref", "refs/remotes/origin/main", "HEAD")
    (app / "gate.toml").write_text(ONE_ENDPOINT)
    git(app, "add", "gate.toml")
    git(app, "commit", "-q", "-m", "Gate one endpoint")
    goes_on(run(with_gate(app)), "was not gated yet")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_in_a_checkout_of_somebody_else_it_goes_on(tmp_path: Path) -> None:
    app = with_gate(repository(tmp_path / "app", "flask_app"))
    for path in (app, app / ".git"):
        os.chown(path, 12345, 12345)
    without = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    goes_on(run(app, **without, SUDO_UID="0"), "dubious ownership")


def test_what_could_not_be_measured_fails(tmp_path: Path) -> None:
    app = with_gate(repository(tmp_path / "app", "flask_app"))
    git(app, "rm", "-q", "gate.toml")
    git(app, "commit", "-q", "-m", "Gate nothing")
    ended = run(app)
    assert ended.returncode == 2
    assert "gate.toml cannot be read" in ended.stderr


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_the_first_parent_is_measured_where_main_is_this_commit(tmp_path: Path) -> None:
    app = repository(tmp_path / "app", "flask_app")
    (app / "gate.toml").write_text(ONE_ENDPOINT)
    git(app, "commit", "-q", "-a", "-m", "Gate one endpoint")
    first = git(app, "rev-parse", "HEAD").strip()
    edit(app, "catalogue.py", "number * 7919 % 1009", "sum([number] * 79) % 1009")
    git(tmp_path, "clone", "-q", "--branch", "work", str(app), "clone")
    clone = with_gate(tmp_path / "clone")
    git(clone, "update-ref", "refs/remotes/origin/main", "HEAD")
    ended = run(clone)
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert f"{first[:10]} -> " in ended.stdout
    assert "catalogue:price" in ended.stdout
