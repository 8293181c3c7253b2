"""Neutral edits do what the file did before."""

import random

import pytest

from benchmarks.gating.edits import NEUTRAL, neutral

SOURCE = '''"""A module."""

import math


def area(radius):
    square = radius * radius
    return math.pi * square


def both(radius, scale=1):
    """Area and scale."""
    found = area(radius) * scale
    return {"area": found, "scale": scale}
'''


def outcome(text: str) -> object:
    names: dict[str, object] = {}
    exec(compile(text, "module.py", "exec"), names)
    return names["both"](3, scale=2)


@pytest.mark.parametrize("kind", NEUTRAL)
def test_a_neutral_edit_changes_the_text_and_not_the_outcome(kind: str) -> None:
    changed = neutral(kind, {"app/module.py": SOURCE}, random.Random(3))
    (path,) = changed
    if kind in ("module_added", "longer_path"):
        assert path.startswith("app/")
        compile(changed[path], path, "exec")
    else:
        assert path == "app/module.py"
        assert changed[path] != SOURCE
        assert outcome(changed[path]) == outcome(SOURCE)
