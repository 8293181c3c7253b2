"""Sources in a folder per release. No link is followed, so nothing outside of it can be read."""

import os
import re
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from collector.answers.sources.text import BYTES_MAX, NoSource, SourceText
from profiler.source_text import Touch

__all__ = ["Folder"]

RELEASE = re.compile(r"[0-9A-Za-z_][0-9A-Za-z._+@-]{0,199}")
FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
FILE_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Folder:
    """`root/<release>/<path>`."""

    root: Path

    def text(self, release: str, commits: Sequence[str], paths: Sequence[str]) -> SourceText:
        """See `Place.text`."""
        if not RELEASE.fullmatch(release):
            raise NoSource(f"{release!r} cannot name a folder of a release")
        if not (self.root / release).is_dir():
            raise NoSource(f"{self.root} has no folder {release}")
        for path in paths:
            try:
                text = _read(self.root, [release, *path.split("/")])
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                raise NoSource(f"{path} of {release} is not read: {error.strerror}") from error
            return SourceText(text, f"{release}/{path}")
        raise NoSource(f"{self.root / release} has no {paths[-1] if paths else 'such file'}")

    def blame(self, text: SourceText, first: int, last: int) -> Mapping[int, Touch]:
        """A folder knows no commits."""
        return {}


def _read(root: Path, names: Sequence[str]) -> str:
    """The text of a file beneath `root`; raises OSError, and NoSource for what is no source."""
    if any(name in ("", ".", "..") or "/" in name or "\0" in name for name in names):
        raise NoSource("the path is not plain")
    at = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for name in names[:-1]:
            below = os.open(name, FOLDER_FLAGS, dir_fd=at)
            os.close(at)
            at = below
        with open(os.open(names[-1], FILE_FLAGS, dir_fd=at), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise NoSource(f"{names[-1]} is no regular file")
            content = file.read(BYTES_MAX + 1)
    finally:
        os.close(at)
    if len(content) > BYTES_MAX:
        raise NoSource(f"{names[-1]} has more than {BYTES_MAX:,} bytes")
    return content.decode("utf-8", "replace")
