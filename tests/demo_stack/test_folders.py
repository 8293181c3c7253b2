"""Folders for servers that run as their own user."""

import os
import pwd
import subprocess
import tempfile
from pathlib import Path

import pytest

from demo_stack.folders import account_for, remove_folders, ring_root, server_folder
from demo_stack.processes import DemoError, run

AS_ROOT = os.geteuid() == 0


@pytest.fixture
def closed_home():
    """A home below a folder that only we can enter."""
    with tempfile.TemporaryDirectory() as closed:
        home = Path(closed) / "demo"
        home.mkdir()
        yield home
        remove_folders(home)


def test_the_servers_user_can_write_there(closed_home: Path):
    account = account_for("postgres")
    folder = server_folder(closed_home, "data", account)
    run(["touch", "file"], what="writing", account=account, cwd=folder)
    assert (closed_home / "data" / "file").exists()
    owner = pwd.getpwuid((folder / "file").stat().st_uid).pw_name
    assert owner == ("postgres" if AS_ROOT else pwd.getpwuid(os.geteuid()).pw_name)
    assert folder.stat().st_mode & 0o077 == 0
    assert server_folder(closed_home, "data", account) == folder


def test_removing_leaves_nothing(closed_home: Path):
    folder = server_folder(closed_home, "data", account_for("postgres"))
    ring_root(closed_home).mkdir()
    remove_folders(closed_home)
    assert not folder.exists()
    assert not folder.parent.exists()
    assert not ring_root(closed_home).exists()


def test_two_homes_share_nothing(tmp_path: Path):
    assert ring_root(tmp_path / "a") != ring_root(tmp_path / "b")


def test_account_is_ours_unless_root():
    me = subprocess.run(["id", "-u"], capture_output=True, text=True, check=True).stdout.strip()
    assert (account_for("postgres") == "postgres") == (me == "0")
    if AS_ROOT:
        with pytest.raises(DemoError, match="no user and group 'no-such-user'"):
            account_for("no-such-user")
