"""What runs: `.demo/state.json`, rewritten whole after every start: nothing is forgotten."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from demo_stack.processes import DemoError, Started

__all__ = ["State", "read_state", "write_state"]

FILE = "state.json"


@dataclass(slots=True)
class State:
    """Ports, releases and processes of one demo."""

    #: name -> port
    ports: dict[str, int] = field(default_factory=dict)
    #: host or job worker -> release that it runs
    releases: dict[str, str] = field(default_factory=dict)
    #: in the order in which they were started
    processes: list[Started] = field(default_factory=list)

    def process(self, name: str) -> Started:
        """The process of that name."""
        return next(started for started in self.processes if started.name == name)


def read_state(home: Path) -> State | None:
    """The state on disk, or None where nothing was started."""
    path = home / FILE
    if not path.exists():
        return None
    try:
        stored = json.loads(path.read_text())
        processes = [Started(**process) for process in stored.pop("processes")]
        return State(**stored, processes=processes)
    except (ValueError, TypeError, KeyError) as error:
        raise DemoError(
            f"{path} cannot be read ({error}): end the processes it names by hand, then delete it"
        ) from error


def write_state(home: Path, state: State) -> None:
    """Replace the state on disk at once; without processes there is nothing to remember."""
    path = home / FILE
    if not state.processes:
        path.unlink(missing_ok=True)
        return
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(asdict(state), indent=1))
    os.replace(fresh, path)


def names(processes: Sequence[Started]) -> str:
    """For people: `postgres, redis`."""
    return ", ".join(process.name for process in processes)
