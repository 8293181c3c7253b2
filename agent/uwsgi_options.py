"""What a uWSGI process was told: its options, out of command line, environment and ini files.

Pure but for the `read` function that it is given. uWSGI's own logic (for, if) is passed over.
https://uwsgi-docs.readthedocs.io/en/latest/Configuration.html
"""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePosixPath

__all__ = ["Options", "is_uwsgi", "options", "stats_address", "truth"]

FILES_MAX = 16
LINES_MAX = 5_000
_PLACE = re.compile(r"%\(([\w-]+)\)|\$\((\w+)\)|%([dnpsc])")

#: Name -> its values, in order; the key of an option without value has "true".
Options = dict[str, list[str]]
Read = Callable[[str], str | None]
#: Options that take no value, of those that may stand before one that matters.
_FLAGS = ("M", "L", "i")
_SHORT = {"p": "processes", "s": "socket", "H": "home", "w": "module", "M": "master"}


def is_uwsgi(command: Sequence[str]) -> bool:
    """Whether a command line starts uWSGI, or pyuwsgi by whatever means."""
    names = (PurePosixPath(word).name.lower() for word in command[:3])
    return any(name.startswith(("uwsgi", "pyuwsgi")) for name in names)


def options(command: Sequence[str], environ: Mapping[str, str], read: Read) -> Options:
    """All options that can be seen, in uWSGI's order: a later one wins.

    `read` gives the text of a file that is named, or None. The environment comes first, then the
    command line with each --ini in its place, then files without a flag.
    """
    found: Options = {}
    seen: set[str] = set()

    def take(files: list[str]) -> None:
        while files and len(seen) < FILES_MAX:
            file = files.pop(0)
            if file not in seen:
                seen.add(file)
                files[:0] = _add_file(found, file, environ, read)

    for name, value in environ.items():
        if name.startswith("UWSGI_") and name != "UWSGI_ORIGINAL_PROC_NAME":
            _add(found, name.removeprefix("UWSGI_"), value)
    files: list[str] = []
    words = list(command[1:])
    while words:
        word = words.pop(0)
        if not word.startswith("-"):
            files += [word] if PurePosixPath(word.partition(":")[0]).suffix == ".ini" else []
            continue
        name, equals, value = word.lstrip("-").partition("=")
        if not equals and words and not words[0].startswith("-") and name not in _FLAGS:
            value = words.pop(0)
        _add(found, _SHORT.get(name, name), value or "true")
        if name == "ini":
            take([value])
    take([*found.get("ini", []), *files])
    return found


def stats_address(found: Options) -> str:
    """The stats socket's address, with `http://` before it where it speaks HTTP; "" for none."""
    given = [*found.get("stats", []), *found.get("stats-server", [])]
    if not given or "%" in given[-1] or "$(" in given[-1]:
        return ""
    return f"http://{given[-1]}" if truth(found, "stats-http") else given[-1]


def truth(found: Options, name: str) -> bool:
    """Whether a yes-or-no option is on."""
    return found.get(name, ["false"])[-1].lower() in ("true", "1", "yes", "on", "y")


def _add(found: Options, name: str, value: str) -> None:
    found.setdefault(name.lower().replace("_", "-"), []).append(value)


def _add_file(found: Options, file: str, environ: Mapping[str, str], read: Read) -> list[str]:
    """Take in one ini file; the files that it includes."""
    name, _, section = file.partition(":")
    text = read(name)
    if text is None:
        return []
    path = PurePosixPath(name)
    magic = {"d": f"{path.parent}/", "n": path.stem, "p": name, "s": path.name}
    magic["c"] = path.parent.name
    own: dict[str, str] = {}
    here, included = "", []
    for line in text.splitlines()[:LINES_MAX]:
        line = line.strip()
        if line.startswith("["):
            here = line.strip("[]")
        if here != (section or "uwsgi") or not line or line[0] in "[;#":
            continue
        key, equals, value = (part.strip() for part in line.partition("="))
        own[key] = value = _filled(value, own, environ, magic) if equals else "true"
        _add(found, key, value)
        if key in ("ini", "include", "inherit"):
            included.append(value)
    return included


def _filled(
    value: str, own: Mapping[str, str], environ: Mapping[str, str], magic: Mapping[str, str]
) -> str:
    """A value with its placeholders filled in; one that is not known stays as it is."""

    def place(match: re.Match[str]) -> str:
        of_file, of_environment, letter = match.groups()
        if letter:
            return magic[letter]
        known = own.get(of_file) if of_file else environ.get(of_environment)
        return match[0] if known is None else known

    return _PLACE.sub(place, value)
