import os
import subprocess
import sys
import types

import pytest

from dynoscope_probe import identity


def git(folder, *arguments):
    environ = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    return subprocess.run(
        ["git", "-C", str(folder), *who, *arguments],
        env=environ, check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip


@pytest.fixture
def checkout(tmp_path):
    folder = tmp_path / "checkout"
    (folder / "app" / "deep").mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main")
    git(folder, "commit", "-q", "--allow-empty", "-m", "one")
    return folder


def test_the_commit_of_a_branch_is_found_from_below(checkout):
    commit = git(checkout, "rev-parse", "HEAD")[:12]
    assert identity.git_commit(str(checkout / "app" / "deep")) == commit


def test_packed_refs_and_a_detached_head(checkout):
    commit = git(checkout, "rev-parse", "HEAD")[:12]
    git(checkout, "pack-refs", "--all")
    assert identity.git_commit(str(checkout)) == commit
    git(checkout, "checkout", "-q", "--detach")
    assert identity.git_commit(str(checkout)) == commit


def test_a_work_tree(checkout, tmp_path):
    git(checkout, "worktree", "add", "-q", "-b", "other", str(tmp_path / "tree"))
    git(tmp_path / "tree", "commit", "-q", "--allow-empty", "-m", "two")
    commit = git(tmp_path / "tree", "rev-parse", "HEAD")[:12]
    assert commit != git(checkout, "rev-parse", "HEAD")[:12]
    assert identity.git_commit(str(tmp_path / "tree")) == commit


@pytest.mark.parametrize(
    ("file", "text"),
    [("HEAD", "ref: refs/heads/none"), ("HEAD", "nonsense"), ("HEAD", ""), ("config", "")],
)
def test_a_damaged_checkout_has_no_commit(tmp_path, file, text):
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / file).write_text(text)
    assert identity.git_commit(str(tmp_path)) == ""


def test_no_checkout_and_a_file_that_names_none(tmp_path):
    (tmp_path / ".git").write_text("nothing")
    assert identity.git_commit(str(tmp_path)) == ""
    assert identity.git_commit("/proc") == ""


def test_cpu_model(tmp_path):
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nmodel name\t: A Fine CPU\n")
    assert identity.cpu_model(str(tmp_path)) == "A Fine CPU"
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nCPU part\t: 0xd0c\n")
    assert identity.cpu_model(str(tmp_path)) == "0xd0c"
    assert identity.cpu_model(str(tmp_path / "none")) == os.uname().machine


def test_the_start_of_a_process(tmp_path):
    (tmp_path / "7").mkdir()
    fields = " ".join(str(number) for number in range(3, 53))
    (tmp_path / "7" / "stat").write_text(f"7 (a ) name) {fields}")
    assert identity.process_start_ticks(7, str(tmp_path)) == 22
    assert identity.process_start_ticks(8, str(tmp_path)) == 0
    assert identity.process_start_ticks(os.getpid()) > 0


def test_the_age_of_a_process():
    child = subprocess.Popen(["sleep", "30"])
    try:
        young = identity.process_age_s(identity.process_start_ticks(child.pid))
        old = identity.process_age_s(identity.process_start_ticks(os.getpid()))
    finally:
        child.kill()
        child.wait()
    assert 0 <= young < old < 86_400
    assert identity.process_age_s(0) == 0


def test_the_namespace(tmp_path):
    assert identity.pid_namespace() == os.stat("/proc/self/ns/pid").st_ino
    assert identity.pid_namespace(str(tmp_path)) == 0


def test_the_runtime():
    assert identity.runtime() == "cpython {}.{}.{}".format(*sys.version_info[:3])


def test_the_workers_number(monkeypatch):
    assert identity.worker_number() == 0
    monkeypatch.setitem(sys.modules, "uwsgi", types.SimpleNamespace(worker_id=lambda: 4))
    assert identity.worker_number() == 4
