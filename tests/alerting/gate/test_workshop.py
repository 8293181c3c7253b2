"""Checkouts under one name."""

from pathlib import Path

import pytest

from alerting.gate.errors import GateError
from alerting.gate.workshop import fork_point, git, messages, open_workshop
from tests.alerting.gate import repositories
from tests.alerting.gate.repositories import edit, repository


def test_each_side_takes_its_turn_under_one_name(tmp_path: Path) -> None:
    app = repository(tmp_path / "app", "flask_app")
    edit(app, "catalogue.py", "7919", "7920")
    (app / "catalogue.py").write_text("changed, not committed\n")
    (app / "new.py").write_text("not yet added\n")
    (app / "shop.py").unlink()
    with open_workshop() as workshop:
        workshop.add("base", app, "main")
        workshop.add("head", app, None)
        workshop.bring_in("base")
        assert "7919" in (workshop.app / "catalogue.py").read_text()
        workshop.bring_in("head")
        workshop.bring_in("head")
        assert (workshop.app / "catalogue.py").read_text() == "changed, not committed\n"
        assert (workshop.app / "new.py").exists()
        assert not (workshop.app / "shop.py").exists()
        workshop.bring_in("base")
        assert (workshop.app / "shop.py").exists()
        root = workshop.root
    assert not root.exists()


def test_the_base_is_where_the_branch_left_it(tmp_path: Path) -> None:
    app = repository(tmp_path / "app", "flask_app")
    left = git(app, "rev-parse", "main").strip()
    edit(app, "catalogue.py", "7919", "7920", "On the branch")
    repositories.git(app, "checkout", "-q", "main")
    edit(app, "catalogue.py", "1009", "1013", "On main since")
    repositories.git(app, "checkout", "-q", "work")
    assert fork_point(app, "main") == (left, "")
    assert [message for _, message in messages(app, left, "HEAD")] == ["On the branch"]


def test_on_main_itself_the_base_is_the_first_parent(tmp_path: Path) -> None:
    app = repository(tmp_path / "app", "flask_app")
    repositories.git(app, "checkout", "-q", "main")
    with pytest.raises(GateError, match="no parent"):
        fork_point(app, "main")
    parent = git(app, "rev-parse", "main").strip()
    edit(app, "catalogue.py", "7919", "7920")
    commit, remark = fork_point(app, "main")
    assert commit == parent
    assert "first parent" in remark
    (app / "catalogue.py").write_text("a change on top\n")
    assert fork_point(app, "main")[0] == git(app, "rev-parse", "HEAD").strip()
