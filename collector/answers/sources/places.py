"""Where the source of a service's releases is: a folder per release, or a git repository."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from collector.answers.sources.folder import Folder
from collector.answers.sources.git import open_repository
from collector.answers.sources.text import NoSource, SourceText
from collector.errors import CollectorError
from profiler.source_text import Touch

__all__ = ["Place", "Places", "parse_places"]

GIT = "git:"


class Place(Protocol):
    """Keeps sources. Nothing outside of it is read, whatever names and paths samples carry."""

    def text(self, release: str, commits: Sequence[str], paths: Sequence[str]) -> SourceText:
        """The first of `paths` that a release has; raises NoSource with the reason.

        `commits`: what the deploy brought, where the release's own name says nothing here.
        """

    def blame(self, text: SourceText, first: int, last: int) -> Mapping[int, Touch]:
        """Who last touched the lines from `first` to `last`; raises NoSource."""


@dataclass(frozen=True, slots=True)
class Places:
    """Service -> its place; the one under "" is for all others."""

    by_service: Mapping[str, Place] = field(default_factory=dict)

    def of(self, service: str) -> Place:
        """Raises NoSource where nothing is known of a service's sources."""
        found = self.by_service.get(service) or self.by_service.get("")
        if found is None:
            raise NoSource(
                f"where the source of {service} is has not been told: "
                f"serve --source {service}=FOLDER, or ={GIT}REPOSITORY"
            )
        return found


def parse_places(settings: Sequence[str]) -> Places:
    """Of `[SERVICE=]FOLDER` (with a folder for each release) or `[SERVICE=]git:REPOSITORY`."""
    found: dict[str, Place] = {}
    for setting in settings:
        service, equals, rest = setting.partition("=")
        where = rest if equals else setting
        service = service if equals else ""
        if service in found:
            raise CollectorError(f"--source names {service or 'all services'} twice.")
        path = Path(where.removeprefix(GIT))
        if not path.is_dir():
            raise CollectorError(
                f"--source {setting}: {path} is no folder. Write SERVICE=FOLDER with a folder for "
                f"each release in it, or SERVICE={GIT}REPOSITORY."
            )
        try:
            found[service] = open_repository(path) if where.startswith(GIT) else Folder(path)
        except NoSource as error:
            raise CollectorError(f"--source {setting}: {error}") from error
    return Places(found)
