"""Git repositories made of the example applications."""

import shutil
import subprocess
from pathlib import Path

APPS = Path(__file__).parent / "apps"


def git(folder: Path, *words: str) -> str:
    command = ["git", "-C", str(folder), "-c", "user.email=a@example.org", "-c", "user.name=A"]
    return subprocess.run([*command, *words], check=True, capture_output=True, text=True).stdout


def repository(folder: Path, app: str) -> Path:
    """The application on `main`, a branch `work` checked out."""
    shutil.copytree(APPS / app, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / ".gitignore").write_text("__pycache__\n")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "The application")
    git(folder, "checkout", "-q", "-b", "work")
    return folder


def edit(folder: Path, file: str, old: str, new: str, message: str = "Change it") -> None:
    path = folder / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    git(folder, "commit", "-q", "-a", "-m", message)
