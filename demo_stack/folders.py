"""Folders that a server's own user can reach, wherever the checkout lies."""

import grp
import hashlib
import os
import pwd
import shutil
from pathlib import Path

from demo_stack.processes import DemoError

__all__ = ["account_for", "remove_folders", "ring_root", "server_folder"]

SHORT_LIVED = Path("/dev/shm")
ELSEWHERE = Path("/var/tmp")


def account_for(name: str) -> str | None:
    """The user that a server runs as when we are root; None: as ourselves."""
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam(name), grp.getgrnam(name)
    except KeyError:
        raise DemoError(
            f"there is no user and group {name!r}: install the Debian package that brings it"
            " (make setup)"
        ) from None
    return name


def server_folder(home: Path, name: str, account: str | None) -> Path:
    """`home`/NAME owned by `account`; a link to /var/tmp where that user could not get there."""
    folder = home / name
    if account is not None and not folder.exists() and not _open_to_all(home):
        real = _elsewhere(home) / name
        real.mkdir(exist_ok=True)
        folder.unlink(missing_ok=True)
        folder.symlink_to(real)
    folder.mkdir(exist_ok=True)
    folder.chmod(0o700)
    if account is not None:
        shutil.chown(folder, account, account)
    return folder.resolve()


def ring_root(home: Path) -> Path:
    """The folder for rings of this demo: memory-backed, private, apart from every other demo's."""
    return SHORT_LIVED / _own_name(home)


def remove_folders(home: Path) -> None:
    """Delete the demo's data, wherever it lies."""
    for folder in (ring_root(home), ELSEWHERE / _own_name(home), home):
        shutil.rmtree(folder, ignore_errors=True)


def _elsewhere(home: Path) -> Path:
    folder = ELSEWHERE / _own_name(home)
    folder.mkdir(mode=0o711, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
        raise DemoError(f"{folder} belongs to somebody else: remove it, or use another --home")
    return folder


def _own_name(home: Path) -> str:
    digest = hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:8]
    return f"dynoscope-demo-{os.geteuid()}-{digest}"


def _open_to_all(folder: Path) -> bool:
    """Whether every user can get into this folder."""
    folder = folder.resolve()
    return all(place.stat().st_mode & 0o001 for place in (folder, *folder.parents))
