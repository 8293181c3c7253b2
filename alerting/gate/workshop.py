"""Where both sides are measured: each checkout takes its turn under one name."""

import io
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alerting.gate.errors import GateError

__all__ = ["Workshop", "commit_of", "fork_point", "git", "messages", "open_workshop"]


class Workshop:
    """`app` is the name under which a side lies while it is measured; the others wait beside it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.app = root / "app"
        self.home = root / "home"
        self.home.mkdir()
        self._inside = ""

    def add(self, side: str, repository: Path, ref: str | None) -> None:
        """Keep a copy of a commit, or of the working tree as it is (ref None), under `side`."""
        folder = self.root / f"side-{side}"
        folder.mkdir()
        if ref is None:
            _copy_working_tree(repository, folder)
        else:
            _unpack(repository, ref, folder)

    def bring_in(self, side: str) -> None:
        """Put this side under the common name."""
        if self._inside == side:
            return
        if self._inside:
            self.app.rename(self.root / f"side-{self._inside}")
        (self.root / f"side-{side}").rename(self.app)
        self._inside = side

    def data(self, slot: int) -> Path:
        """Where one measured process finds its data, the same name for both sides."""
        return self.root / "data" / f"{slot:03}"


@contextmanager
def open_workshop() -> Iterator[Workshop]:
    """A temporary workshop; its path has the same length each time."""
    root = Path(tempfile.mkdtemp(prefix="dynoscope-gate-"))
    try:
        yield Workshop(root)
    finally:
        shutil.rmtree(root, ignore_errors=True)


def fork_point(repository: Path, base: str) -> tuple[str, str]:
    """(commit, remark): where HEAD left `base`; its first parent where they do not differ."""
    head = commit_of(repository, "HEAD")
    found = git(repository, "merge-base", commit_of(repository, base), head).strip()
    if found != head or git(repository, "status", "--porcelain", "--untracked-files=no").strip():
        return found, ""
    parent = subprocess.run(
        ["git", "-C", str(repository), "rev-parse", "--verify", "-q", "HEAD^1"],
        capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip
    if not parent:
        raise GateError(
            f"HEAD is {base} and has no parent here: fetch more history (fetch-depth: 0)"
        )
    return parent, f"HEAD is part of {base}: compared with its first parent"


def commit_of(repository: Path, ref: str) -> str:
    """The full id of a commit."""
    try:
        return git(repository, "rev-parse", "--verify", "-q", ref + "^{commit}").strip()
    except GateError as error:
        raise GateError(
            f"{repository} has no commit {ref!r}: fetch it (git fetch origin), or name another"
        ) from error


def messages(repository: Path, base: str, head: str) -> list[tuple[str, str]]:
    """(short id, message) of the commits from `base` (without it) to `head`."""
    text = git(repository, "log", "--format=%h%x1f%B%x1e", f"{base}..{head}")
    pairs = [entry.strip("\n").split("\x1f", 1) for entry in text.split("\x1e") if entry.strip()]
    return [(short, message) for short, message in pairs]


def git(repository: Path, *words: str) -> str:
    """What git answers; GateError with its reason."""
    return _git(repository, *words).decode(errors="replace")


def _git(repository: Path, *words: str) -> bytes:
    try:
        ended = subprocess.run(["git", "-C", str(repository), *words], capture_output=True)
    except OSError as error:
        raise GateError(f"git cannot be started: {error.strerror}") from error
    if ended.returncode:
        reason = ended.stderr.decode(errors="replace").strip() or f"status {ended.returncode}"
        raise GateError(f"git {words[0]} in {repository}: {reason}")
    return ended.stdout


def _unpack(repository: Path, ref: str, folder: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(_git(repository, "archive", ref))) as archive:
        # Our own repository's commit. Newer Pythons want a filter named; Debian's knows none.
        archive.extraction_filter = getattr(tarfile, "fully_trusted_filter", None)
        archive.extractall(folder)


def _copy_working_tree(repository: Path, folder: Path) -> None:
    names = _git(repository, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in filter(None, names.decode(errors="surrogateescape").split("\0")):
        source = repository / name
        if source.is_symlink() or source.is_file():  # a deleted file is listed, too
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
