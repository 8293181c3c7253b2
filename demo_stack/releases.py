"""Releases of the service: folders that each hold it as the package `photos`.

`r1` is `demo_stack/service` as it stands; a release with a file `patches/NAME.patch` is the same
with that change applied.
"""

import filecmp
import os
import shutil
from pathlib import Path

from demo_stack.processes import DemoError, run

__all__ = ["PACKAGE", "build_release", "patch_of"]

PACKAGE = "photos"
SERVICE = Path(__file__).parent / "service"
PATCHES = Path(__file__).parent / "patches"


def build_release(home: Path, name: str, patch: Path | None) -> Path:
    """Make the release's folder afresh and return it; without a patch it is the service as is."""
    folder = home / "releases" / name
    shutil.rmtree(folder, ignore_errors=True)
    package = folder / PACKAGE
    shutil.copytree(SERVICE, package, ignore=shutil.ignore_patterns("__pycache__"))
    if patch is not None:
        run(
            ["git", "apply", str(patch)],
            what=f"applying {patch.name} to release {name}",
            cwd=folder,
            # The folder may lie in a checkout: its repository is not the one to patch.
            env={"GIT_CEILING_DIRECTORIES": str(folder.parent)},
        )
        if not changed_files(SERVICE, package):
            raise DemoError(f"{patch} changed nothing in release {name}")
    return folder


def patch_of(name: str) -> Path | None:
    """The change that the release brings, or None if it brings none."""
    if os.sep in name or not name.isprintable() or name.startswith("."):
        raise DemoError(f"{name!r} cannot name a release: use letters and digits, such as r2")
    patch = PATCHES / f"{name}.patch"
    return patch if patch.exists() else None


def changed_files(before: Path, after: Path) -> list[str]:
    """Paths, relative to the package, of files that differ or exist on one side only."""
    names = {
        str(path.relative_to(root))
        for root in (before, after)
        for path in root.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    return sorted(
        name
        for name in names
        if not (before / name).exists()
        or not (after / name).exists()
        or not filecmp.cmp(before / name, after / name, shallow=False)
    )
