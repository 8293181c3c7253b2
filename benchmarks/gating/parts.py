"""A long benchmark in parts: what is done is kept in a file, so that it can go on later."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["Parts"]


class Parts:
    """Takes each part once; none is begun after `until_s` (of the monotonic clock)."""

    def __init__(self, kept: Path | None, until_s: float, say: Callable[[str], None]) -> None:
        self.kept, self.until_s, self.say = kept, until_s, say
        self.missing: list[str] = []
        self._done: dict[str, list[Any]] = {}
        if kept is not None and kept.exists():
            self._done = dict(json.loads(line) for line in kept.read_text().splitlines())

    def take(self, name: str, make: Callable[[], list[Any]]) -> None:
        """Make the part unless it is there already, or there is no more time."""
        if name in self._done:
            return
        if time.monotonic() > self.until_s:
            self.missing.append(name)
            return
        begun = time.monotonic()
        self._done[name] = json.loads(json.dumps(make()))
        self.say(f"{name}: {self._done[name]} ({time.monotonic() - begun:.0f} s)")
        if self.kept is not None:
            with self.kept.open("a") as file:
                file.write(json.dumps([name, self._done[name]]) + "\n")

    def done(self, word: str) -> list[list[Any]]:
        """Results of the parts that have this word in their name."""
        return [rows for name, rows in self._done.items() if word in name.split()]
