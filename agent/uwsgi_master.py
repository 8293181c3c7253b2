"""A worker's uWSGI master: its options, as far as /proc and its ini files show them."""

import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.namespaces import start_ticks
from agent.uwsgi_options import is_uwsgi, options, stats_address, truth

__all__ = ["Master", "master_of", "parent_of"]

FILE_BYTES_MAX = 256 << 10
LOOPBACK = ("", "localhost", "0.0.0.0", "::", "::1")


@dataclass(frozen=True, slots=True)
class Master:
    """A uWSGI master (or a worker without one). `sure`: its ini could be read."""

    pid: int
    start_ticks: int
    address: str
    after_fork: bool
    ini: str
    sure: bool


def master_of(pid: int, proc_root: Path) -> Master | None:
    """The uWSGI instance that a worker belongs to; None where it belongs to none."""
    if not _runs_uwsgi(pid, proc_root):
        return None
    parent = parent_of(pid, proc_root)
    if _runs_uwsgi(parent, proc_root):
        pid = parent
    process = proc_root / str(pid)
    command, environ = _words(process / "cmdline"), _environ(process)
    bases = [Path(one) for one in (environ.get("PWD", ""), _link(process / "cwd")) if one]
    root = _root(process, proc_root)
    read: list[str] = []

    def text(name: str) -> str | None:
        found = _text([root / str(base / name).lstrip("/") for base in bases or [Path("/")]])
        if found is not None:
            read.append(name)
        return found

    told = options(command, environ, text)
    address = _reachable(stats_address(told), root, bases)
    ini = read[0] if read else ""
    # A master that writes its own name over its arguments has none left to read.
    sure = bool(read) or len(command) > 2
    ticks = start_ticks(pid, proc_root) or 0
    return Master(pid, ticks, address, truth(told, "py-call-osafterfork"), ini, sure)


def _reachable(address: str, root: Path, bases: Sequence[Path]) -> str:
    """An address as the agent can use it; "" for another machine's: it was not named by us."""
    scheme, plain = ("http://", address[7:]) if address.startswith("http://") else ("", address)
    if not plain or plain.startswith("@"):
        return address
    host, _, port = plain.rpartition(":")
    if port.isdigit() and "/" not in plain:
        near = host.strip("[]") in LOOPBACK or host.startswith("127.")
        return f"{scheme}{host}:{port}" if near else ""
    for base in bases or [Path("/")]:
        path = root / str(base / plain).lstrip("/")
        if path.exists():
            return scheme + str(path)
    return scheme + plain


def _runs_uwsgi(pid: int, proc_root: Path) -> bool:
    process = proc_root / str(pid)
    names = [_link(process / "exe"), *_words(process / "comm")]
    return is_uwsgi(_words(process / "cmdline")) or is_uwsgi(names)


def parent_of(pid: int, proc_root: Path) -> int:
    try:
        fields = (proc_root / f"{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2]
        return int(fields.split()[1])
    except (OSError, IndexError):
        return 0


def _words(path: Path) -> list[str]:
    """The strings of a cmdline or environ; none where it cannot be read."""
    try:
        with open(path, "rb") as file:
            raw = file.read(FILE_BYTES_MAX)
    except OSError:
        return []
    return [word.decode("utf-8", "replace").strip() for word in raw.split(b"\0") if word.strip()]


def _environ(process: Path) -> dict[str, str]:
    pairs = (word.partition("=") for word in _words(process / "environ"))
    return {name: value for name, _, value in pairs}


def _link(path: Path) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


def _root(process: Path, proc_root: Path) -> Path:
    """Where the process's files are for us: through its own root when it is in a container."""
    own, other = _link(proc_root / "self/ns/mnt"), _link(process / "ns/mnt")
    return process / "root" if other and own != other else Path("/")


def _text(paths: Iterable[Path]) -> str | None:
    """The first of these that is an ordinary file of sensible size."""
    for path in paths:
        try:
            fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            continue
        with open(fd, "rb") as file:
            if stat.S_ISREG(os.fstat(fd).st_mode):
                return file.read(FILE_BYTES_MAX).decode("utf-8", "replace")
    return None
