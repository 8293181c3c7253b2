"""Two releases in git, both run and sampled by py-spy: the page's question finds the dear lines."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.lines import line_rows
from agent.requests import Identity
from agent.sampler import PySpy, Target, py_spy_binary
from agent.samples import Sampled, WorkerView, sampled
from agent.stacks import Modules
from agent.tables import table_of_rows
from collector.answers.sides import Side
from collector.answers.source import source
from collector.answers.sources.places import Places, parse_places
from collector.store.store import Store
from profiler.source import SourceLine, SourceView
from tests.collector import rows
from tests.collector.arrow import with_column

FUNCTION = "shop.ranking:Feed.rank"
PLAIN = """\
import time


class Feed:
    def rank(self):
        total = 0
        for _ in range(20_000):
            total += 1
        return total


def main(seconds):
    feed = Feed()
    end = time.monotonic() + seconds
    print("ready", flush=True)
    while time.monotonic() < end:
        feed.rank()
"""
#: Everything moves down by two lines, and a second loop comes.
DEARER = PLAIN.replace("import time\n", "import time\n\n# dearer\n").replace(
    "        return total\n",
    "        for _ in range(60_000):\n            total -= 1\n        return total\n",
)
NEW_LINE = DEARER.splitlines().index("            total -= 1") + 1
RUN = "import sys; from shop.ranking import main; main(float(sys.argv[1]))"
SECONDS = 3
AGES = {"GIT_AUTHOR_DATE": "2026-01-0{}T12:00:00Z", "GIT_COMMITTER_DATE": "2026-01-0{}T12:00:00Z"}


def git(folder: Path, *words: str, day: int = 1) -> str:
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    env = {name: value.format(day) for name, value in AGES.items()} | {"PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        ["git", "-C", str(folder), *who, *words],
        env=env,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The service lies in a folder of its repository; releases are tags."""
    folder = tmp_path_factory.mktemp("repository")
    git(folder, "init", "-q")
    package = folder / "backend" / "shop"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    for day, (tag, text) in enumerate((("r1", PLAIN), ("r2", DEARER)), 1):
        (package / "ranking.py").write_text(text)
        git(folder, "add", ".", day=day)
        git(folder, "commit", "-qm", f"Release {tag}", day=day)
        git(folder, "tag", tag)
    (package / "ranking.py").write_text("raise SystemExit('no release')\n")
    return folder


def profile(root: Path, release: str) -> Sampled:
    """What the agent makes of a real run of `root`/shop."""
    command = [sys.executable, "-c", RUN, str(SECONDS + 30)]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE) as program:
        try:
            assert program.stdout is not None and program.stdout.readline() == b"ready\n"
            sampler = PySpy(py_spy_binary(), grace_s=60)
            (window,) = sampler.sample([Target(program.pid)], SECONDS, 100)
        finally:
            program.kill()
    assert window.failure == ""
    view = WorkerView(1, 1, 1, release, Identity(rows.SERVICE, "web-1", "eu"), str(root))
    return sampled(
        view, window, Modules(str(root)),
        started_ms=rows.START_MS, window_ms=3_000, weight_s=0.01, contended=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def taken(
    store: Store, repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Sampled]]:
    """Both releases run from checkouts elsewhere; what they gave is stored."""
    found = {}
    for release in ("r1", "r2"):
        root = tmp_path_factory.mktemp(release)
        git(repository, "worktree", "add", "-q", "--detach", str(root / "src"), release)
        found[release] = profile(root / "src" / "backend", release)
        for table, part in (
            ("stack_samples", found[release].rows),
            ("line_samples", line_rows(found[release].lines, rows.START_MS)),
        ):
            store.insert(table, table_of_rows(table, part), f"{table}-{release}")
        requests = rows.request_rows(200, 1, release=release)
        store.insert("requests", requests, f"requests-{release}")
    yield found


@pytest.fixture(scope="module")
def places(repository: Path) -> Places:
    return parse_places([f"{rows.SERVICE}=git:{repository / 'backend'}"])


def side(release: str) -> Side:
    start = rows.START_MS
    return Side(f"release:{release}", release, "", "", start, start + 900_000)


def asked(store: Store, places: Places | None, function: str = FUNCTION, **more: Any) -> SourceView:
    answer = source(
        store,
        side("r1"),
        side("r2"),
        service=rows.SERVICE,
        function=function,
        places=places,
        **more,
    )
    return answer.data


def line_of(view: SourceView, text: str) -> SourceLine:
    return next(line for line in view.lines if line.text.strip() == text)


def test_a_stack_keeps_its_identity_and_its_lines_apart(taken):
    for release in ("r1", "r2"):
        stacks = taken[release].stacks.values()
        whole = [one for one in stacks if one.frames[-1] == FUNCTION]
        assert len({one.stack_id for one in whole}) == 1
        lines = [line for line in taken[release].lines if line.function == FUNCTION]
        assert len(lines) >= 2
    ids = [set(part.stacks) for part in taken.values()]
    assert ids[0] & ids[1], "the edit above must not change who is who"


def test_lines_add_up_to_the_samples_of_their_function(taken):
    for part in taken.values():
        has_it = {key for key, stack in part.stacks.items() if FUNCTION in stack.frames}
        samples = sum(row["samples"] for row in part.rows if row["stack_id"] in has_it)
        counts = [count for line, count in part.lines.items() if line.function == FUNCTION]
        assert sum(count.samples for count in counts) == samples > 50
        assert sum(count.weight_s for count in counts) == pytest.approx(samples * 0.01)


def test_the_new_loop_is_hot_and_says_who_wrote_it(store, taken, places, repository):
    view = asked(store, places)
    assert view.notes == ()
    assert (view.a.reason, view.b.reason) == ("", "")
    assert view.a.file == view.b.file == "backend/shop/ranking.py"
    assert view.b.commit == git(repository, "rev-parse", "r2")
    new = line_of(view, "total -= 1")
    assert (new.line_a, new.line_b, new.samples_a) == (0, NEW_LINE, 0)
    assert new.samples_b > 0.2 * view.b.samples
    assert new.self_samples_b == new.samples_b
    assert new.cost_ns_b > 0
    assert new.touched is not None
    assert new.touched.commit == view.b.commit
    assert (new.touched.author, new.touched.summary) == ("Ada", "Release r2")
    assert new.touched.ts_ms == 1_767_355_200_000


def test_lines_that_stayed_are_matched_though_they_moved(store, taken, places, repository):
    view = asked(store, places)
    old = line_of(view, "total += 1")
    assert old.line_b == old.line_a + 2
    assert old.samples_a > 0.2 * view.a.samples and old.samples_b > 0
    assert old.touched is not None
    assert old.touched.commit == git(repository, "rev-parse", "r1")
    first, last = view.lines[0], view.lines[-1]
    assert (first.text, last.text) == ("    def rank(self):", "        return total")
    costs = [sum(line.cost_ns_b for line in view.lines), view.b.cost_ns]
    assert costs[0] == pytest.approx(costs[1])


def test_without_a_place_lines_come_without_text(store, taken):
    view = asked(store, None)
    assert "has not been told" in view.a.reason and "has not been told" in view.b.reason
    assert {line.text for line in view.lines} == {""}
    assert sum(line.samples_b for line in view.lines) == view.b.samples


def test_a_release_that_git_does_not_know_is_found_by_its_deploy(store, taken, repository, places):
    git(repository, "tag", "-d", "r1")
    try:
        lost = asked(store, places)
        assert "no tag, branch or commit named 'r1'" in lost.a.reason and lost.b.reason == ""
        commits = [git(repository, "rev-parse", "--short=12", "r2~1"), "not a commit"]
        deploy = rows.deploy_rows("r1")
        deploy = with_column(deploy, "commits", [commits], deploy["commits"].type)
        store.insert("changes", deploy, "deploy-r1")
        assert asked(store, places).a.commit.startswith(commits[0])
    finally:
        git(repository, "tag", "r1", "r2~1")


def test_a_folder_for_each_release_does_as_well_but_knows_no_commits(
    store, taken, repository, tmp_path
):
    for release in ("r1", "r2"):
        git(repository, "worktree", "add", "-q", "--detach", str(tmp_path / release), release)
    (tmp_path / "r1" / "backend" / "shop").rename(tmp_path / "r1" / "shop")
    view = asked(store, parse_places([str(tmp_path)]))
    assert view.a.file == "r1/shop/ranking.py" and view.a.reason == ""
    assert view.b.reason == "" and view.b.file == "r2/backend/shop/ranking.py"
    assert line_of(view, "total -= 1").touched is None
