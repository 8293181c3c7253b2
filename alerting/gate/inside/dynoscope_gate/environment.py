"""What the counts also depend on, beside the code."""

from __future__ import annotations

import platform
import sys
from typing import Any

__all__ = ["describe"]


def describe() -> dict[str, Any]:
    """{"python": version and build, "packages": {name: version}}."""
    from importlib.metadata import distributions

    packages: dict[str, str] = {}
    for found in distributions():
        name = found.metadata["Name"]
        if name:
            packages.setdefault(name.lower().replace("_", "-"), found.version)
    return {
        "python": f"{platform.python_implementation()} {sys.version.splitlines()[0]}",
        "packages": dict(sorted(packages.items())),
    }
