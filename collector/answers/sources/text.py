"""What a place of sources gives."""

from dataclasses import dataclass

from collector.errors import CollectorError

__all__ = ["BYTES_MAX", "NoSource", "SourceText"]

#: Larger files are not read.
BYTES_MAX = 2_000_000


class NoSource(CollectorError):
    """The source is not at hand: half a sentence that says why."""


@dataclass(frozen=True, slots=True)
class SourceText:
    """One file of one release. `path`: within its place; `commit` empty in a folder."""

    text: str
    path: str
    commit: str = ""
