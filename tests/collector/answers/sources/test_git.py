import os
import subprocess

import pytest

from collector.answers.sources.git import open_repository
from collector.answers.sources.text import NoSource

OLD = "def rank():\n    return 1\n"
NEW = "def rank():\n    return 2\n"


def git(folder, *words, day=1):
    when = f"2026-01-0{day}T12:00:00Z"
    env = {"PATH": os.environ["PATH"], "GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}
    who = ("-c", "user.name=Ada", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main")
    command = ["git", "-C", str(folder), *who, *words]
    done = subprocess.run(command, env=env, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    folder = tmp_path_factory.mktemp("work")
    git(folder, "init", "-q")
    (folder / "shop").mkdir()
    (folder / "link.py").symlink_to("/etc/passwd")
    for day, (tag, text) in enumerate((("r1", OLD), ("r2", NEW)), 1):
        (folder / "shop" / "feed.py").write_text(text)
        (folder / "-n.py").write_text(text)
        git(folder, "add", "--", ".", day=day)
        git(folder, "commit", "-qm", f"Release {tag}", day=day)
        git(folder, "tag", tag)
    git(folder, "branch", "stable/1", "r1")
    return folder


def text(folder, release, *paths, commits=()):
    return open_repository(folder).text(release, commits, paths)


def test_a_release_is_a_tag_a_branch_or_a_commit(work):
    whole = git(work, "rev-parse", "r1")
    for name in ("r1", "stable/1", whole, whole[:8]):
        found = text(work, name, "srv/shop/feed.py", "shop/feed.py")
        assert (found.text, found.path, found.commit) == (OLD, "shop/feed.py", whole)
    assert text(work, "r2", "shop/feed.py").text == NEW


def test_the_newest_commit_of_a_deploy_is_its_release(work):
    commits = ["nonsense", "f" * 40, git(work, "rev-parse", "r2"), git(work, "rev-parse", "r1")]
    assert text(work, "2026-11-21", "shop/feed.py", commits=commits).text == NEW
    with pytest.raises(NoSource, match="no tag, branch or commit named '2026-11-21'"):
        text(work, "2026-11-21", "shop/feed.py", commits=["--all", "HEAD", "f" * 40])


@pytest.mark.parametrize(
    "release",
    ["--help", "-n", "r1:shop/feed.py", "r1..r2", "@{-1}", "r1^", "", "r1\n", ":/Release"],
)
def test_a_release_that_is_no_plain_name_names_nothing(work, release):
    with pytest.raises(NoSource, match="no tag, branch or commit"):
        text(work, release, "shop/feed.py")


def test_the_working_tree_is_not_looked_at(work):
    (work / "shop" / "unsaved.py").write_text("secret")
    with pytest.raises(NoSource, match=r"has no shop/unsaved\.py"):
        text(work, "r2", "shop/unsaved.py")


@pytest.mark.parametrize("path", ["link.py", "shop", "../shop/feed.py", "/etc/passwd", "", "*.py"])
def test_what_is_no_plain_file_of_the_commit_is_not_given(work, path):
    with pytest.raises(NoSource):
        text(work, "r2", path)


def test_names_that_look_like_options_are_names(work):
    found = text(work, "r2", "-n.py")
    assert found.text == NEW
    assert set(open_repository(work).blame(found, 1, 2)) == {1, 2}


def test_blame_says_who_touched_which_line(work):
    place = open_repository(work)
    touched = place.blame(place.text("r2", (), ["shop/feed.py"]), 1, 2)
    assert {line: one.summary for line, one in touched.items()} == {
        1: "Release r1", 2: "Release r2",
    }  # fmt: skip
    assert touched[2].author == "Ada"


def test_a_bare_repository_and_a_folder_within_one_do_as_well(work, tmp_path):
    git(tmp_path, "clone", "-q", "--bare", str(work), str(tmp_path / "shop.git"))
    place = open_repository(tmp_path / "shop.git")
    found = place.text("r2", (), ["shop/feed.py"])
    assert found.text == NEW
    assert place.blame(found, 2, 2)[2].summary == "Release r2"
    within = open_repository(work / "shop")
    found = within.text("r1", (), ["feed.py"])
    assert (found.text, found.path) == (OLD, "shop/feed.py")
    assert within.blame(found, 1, 1)[1].summary == "Release r1"


def test_no_program_that_a_repository_names_is_started(work, tmp_path):
    copy = tmp_path / "copy"
    git(tmp_path, "clone", "-q", str(work), str(copy))
    started = tmp_path / "started"
    for name in ("diff.x.textconv", "core.fsmonitor", "filter.x.smudge", "diff.external"):
        git(copy, "config", name, f"touch {started}; cat")
    (copy / ".git" / "info" / "attributes").write_text("*.py diff=x filter=x\n")
    place = open_repository(copy)
    place.blame(place.text("r2", (), ["shop/feed.py"]), 1, 2)
    assert not started.exists()


def test_a_folder_that_is_no_repository_is_told(tmp_path):
    with pytest.raises(NoSource, match="not a git repository"):
        open_repository(tmp_path)


def test_lines_that_are_not_there_are_told(work):
    place = open_repository(work)
    with pytest.raises(NoSource, match="git blame"):
        place.blame(place.text("r2", (), ["shop/feed.py"]), 90, 99)
