"""A measured side as JSON, for `gate measure` and `gate compare`."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from alerting.gate.errors import GateError
from profiler.gate.records import Call, Counted, Function, Graph, Side

__all__ = ["read_side", "write_side"]

VERSION = 1


def write_side(side: Side, path: Path) -> None:
    """Raises GateError where the file cannot be written."""
    try:
        path.write_text(json.dumps({"version": VERSION, **asdict(side)}))
    except OSError as error:
        raise GateError(f"{path} cannot be written: {error.strerror}") from error


def read_side(path: Path) -> Side:
    """Raises GateError for what `gate measure` did not write."""
    try:
        stored: dict[str, Any] = json.loads(path.read_text())
        if stored.pop("version") != VERSION:
            raise GateError(f"{path} is of another version: measure it again")
        stored["counted"] = tuple(_counted(one) for one in stored["counted"])
        stored["absent"] = tuple(stored["absent"])
        return Side(**stored)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise GateError(
            f"{path} is no measurement of `dynoscope gate measure` ({error})"
        ) from error


def _counted(stored: dict[str, Any]) -> Counted:
    graph = stored["graph"]
    return Counted(
        stored["endpoint"],
        tuple(stored["layouts"]),
        tuple((status, size) for status, size in stored["answered"]),
        Graph(
            tuple(Function(**one) for one in graph["functions"]),
            tuple(Call(**one) for one in graph["calls"]),
        ),
        {
            kind: tuple((calls, cost) for calls, cost in layouts)
            for kind, layouts in stored.get("luck", {}).items()
        },
    )
