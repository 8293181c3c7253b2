"""Sources in a git repository: a release is a tag, a branch or a commit, or its deploy names one.

Only objects of the repository are read, never its working tree. Names from outside reach git only
as whole commit ids and as paths after `--`.
"""

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from collector.answers.sources.text import BYTES_MAX, NoSource, SourceText
from profiler.source_text import Touch, parse_blame

__all__ = ["Repository", "open_repository"]

REVISION = re.compile(r"[0-9A-Za-z_][0-9A-Za-z._/+-]{0,199}")
COMMIT = re.compile(r"[0-9a-f]{40,64}")
PART_OF_COMMIT = re.compile(r"[0-9a-f]{7,64}")
COMMITS_MAX = 100
SECONDS_MAX = 10.0
#: Nothing of the repository's own settings may start a program or reach another machine.
SETTINGS = (
    "--no-pager", "--no-optional-locks", "--literal-pathspecs", "-c", "core.fsmonitor=false",
    "-c", "core.hooksPath=/dev/null", "-c", "protocol.allow=never",
)  # fmt: skip
ENVIRONMENT = {"GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1", "LC_ALL": "C.UTF-8"}


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository, bare or not, or a folder within one: paths are looked for beneath it."""

    folder: Path
    git_dir: Path
    #: of the folder within the repository: "backend/", or empty
    prefix: str

    def text(self, release: str, commits: Sequence[str], paths: Sequence[str]) -> SourceText:
        """See `Place.text`."""
        commit = self._commit(release, commits)
        wholes = [self.prefix + path for path in paths]
        known = _files(self.git_dir, commit, wholes)
        for path in wholes:
            if (found := known.get(path)) is not None:
                blob, size = found
                if size > BYTES_MAX:
                    raise NoSource(f"{path} has more than {BYTES_MAX:,} bytes")
                text = _git(self.git_dir, "cat-file", "blob", blob)
                return SourceText(text.decode("utf-8", "replace"), path, commit)
        wanted = wholes[-1] if wholes else "such file"
        raise NoSource(f"{commit[:12]} in {self.folder} has no {wanted}")

    def blame(self, text: SourceText, first: int, last: int) -> Mapping[int, Touch]:
        """See `Place.blame`."""
        return _blame(self.git_dir, text.commit, text.path, first, last)

    def _commit(self, release: str, commits: Sequence[str]) -> str:
        """The commit of a release, by its name, else the newest of its deploy's."""
        if REVISION.fullmatch(release) and ".." not in release:
            for name in (f"refs/tags/{release}", release):
                if found := self._verified(name):
                    return found
        named = [one for one in commits[:COMMITS_MAX] if PART_OF_COMMIT.fullmatch(one)]
        known = [found for one in named if (found := self._verified(one))]
        if known:
            newest = _git(self.git_dir, "rev-list", "--no-walk=sorted", "--max-count=1", *known)
            return newest.decode().strip()
        raise NoSource(f"{self.folder} has no tag, branch or commit named {release!r}")

    def _verified(self, name: str) -> str:
        """The whole id of a commit, empty where there is none of that name."""
        asked = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        found = _git(self.git_dir, *asked, known_to_fail=True).decode().strip()
        return found if COMMIT.fullmatch(found) else ""


def open_repository(folder: Path) -> Repository:
    """The repository that a folder is, or is a part of; raises NoSource."""
    # Whoever serves need not own it: no setting of it starts a program (SETTINGS).
    where = ("-C", str(folder), "-c", "safe.directory=*")
    asked = ("rev-parse", "--absolute-git-dir", "--show-prefix")
    said = _run([*where, *SETTINGS, *asked], "rev-parse", False).decode().split("\n")
    return Repository(folder, Path(said[0]), said[1])


def _files(git_dir: Path, commit: str, paths: Sequence[str]) -> dict[str, tuple[str, int]]:
    """Those of `paths` that are plain files in a commit: path -> (object id, bytes)."""
    listed = _git(git_dir, "ls-tree", "-z", "-l", "--full-tree", commit, "--", *paths)
    found = {}
    for row in listed.decode("utf-8", "replace").split("\0"):
        words, _, path = row.partition("\t")
        if words.startswith(("100644 blob ", "100755 blob ")):
            _, _, blob, size = words.split()
            found[path] = (blob, int(size))
    return found


@lru_cache(maxsize=256)  # a commit does not change
def _blame(git_dir: Path, commit: str, path: str, first: int, last: int) -> Mapping[int, Touch]:
    lines = f"-L{first},{last}"
    asked = ("blame", "--line-porcelain", "--no-textconv", lines, commit, "--", path)
    return parse_blame(_git(git_dir, *asked).decode("utf-8", "replace"))


def _git(git_dir: Path, *words: str, known_to_fail: bool = False) -> bytes:
    """What git prints of a repository's objects; raises NoSource where it fails or takes long."""
    return _run([f"--git-dir={git_dir}", "--bare", *SETTINGS, *words], words[0], known_to_fail)


def _run(words: Sequence[str], what: str, known_to_fail: bool) -> bytes:
    try:
        done = subprocess.run(
            ["git", *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS_MAX,
            env={**os.environ, **ENVIRONMENT},
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise NoSource(f"git {what} took longer than {SECONDS_MAX:.0f} s") from None
    except OSError as error:
        raise NoSource(f"git does not start: {error.strerror}") from error
    if done.returncode and not known_to_fail:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise NoSource(f"git {what}: {said[0] if said else f'status {done.returncode}'}")
    return done.stdout
