"""Source text: which file a function is in, which lines are its own, how two texts match, blame.

Names and paths come from samples and are not trusted: `candidates` gives relative paths without
`..` only.
"""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

__all__ = ["Touch", "aligned", "candidates", "parse_blame", "span_of"]

#: What is part of another function's text: comprehensions, lambdas.
_INNER = re.compile(r"(\.<locals>)?(^|\.)<(?!locals>)[^>]*>$")
_BLAME_HEAD = re.compile(r"([0-9a-f]{40,64}) \d+ (\d+)(?: \d+)?")


@dataclass(frozen=True, slots=True)
class Touch:
    """The commit that last touched a line. `author` and `summary` are of foreign origin."""

    commit: str
    author: str
    #: of the author, UTC ms
    ts_ms: int
    summary: str


def candidates(file: str, function: str) -> tuple[str, ...]:
    """Relative paths that may be `file` in a folder of sources, the most particular first.

    `file` as the worker knows it, `function` as `module:qualname`. No path is shorter than the
    module's own; none at all where the two do not fit or the path is no plain one of Python.
    """
    parts = [part for part in file.split("/") if part]
    if not file.endswith(".py") or not file.isprintable():
        return ()
    if any(part in (".", "..") for part in parts):
        return ()
    module = function.partition(":")[0]
    found = []
    for start in range(len(parts)):
        path = "/".join(parts[start:])
        found.append(path)
        if _dotted(path) == module:
            return tuple(found)
    return ()


def _dotted(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def span_of(text: str, function: str, samples: Mapping[int, int]) -> tuple[int, int] | None:
    """First and last line of a function, from 1, both within; None where it is not in the text.

    `samples` (line -> samples) decide between several of that name, as where a worker's Python
    (before 3.11) gives only the last part of it. `<module>` is all of the text.
    """
    wanted = function.partition(":")[2]
    while (outer := _INNER.sub("", wanted)) != wanted:
        wanted = outer
    if not wanted:
        return (1, max(len(text.splitlines()), 1))
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    spans = [
        (first, last, name == wanted)
        for name, first, last in _definitions(tree, "")
        if name == wanted or ("." not in wanted and name.rpartition(".")[2] == wanted)
    ]

    def fits(span: tuple[int, int, bool]) -> tuple[int, bool]:
        first, last, is_named_so = span
        return sum(n for line, n in samples.items() if first <= line <= last), is_named_so

    return max(spans, key=fits)[:2] if spans else None


def _definitions(node: ast.AST, prefix: str) -> Iterator[tuple[str, int, int]]:
    """(qualified name, first line with decorators, last line) of all functions, outer first."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([child.lineno, *(one.lineno for one in child.decorator_list)])
            yield prefix + child.name, first, child.end_lineno or child.lineno
            yield from _definitions(child, f"{prefix}{child.name}.<locals>.")
        elif isinstance(child, ast.ClassDef):
            yield from _definitions(child, f"{prefix}{child.name}.")
        else:
            yield from _definitions(child, prefix)


def aligned(a: Sequence[str], b: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of indices into two texts' lines, -1 where the other has no such line; in order."""
    pairs: list[tuple[int, int]] = []
    for tag, a0, a1, b0, b1 in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if tag == "equal":
            pairs += zip(range(a0, a1), range(b0, b1), strict=True)
        else:
            pairs += [(at, -1) for at in range(a0, a1)]
            pairs += [(-1, at) for at in range(b0, b1)]
    return pairs


def parse_blame(text: str) -> dict[int, Touch]:
    """Line -> its commit, of `git blame --line-porcelain`."""
    found: dict[int, Touch] = {}
    said: dict[str, str] = {}
    commit, line = "", 0
    for row in text.split("\n"):
        if row.startswith("\t"):
            found[line] = Touch(
                commit, said.get("author", ""), _ms(said.get("author-time", "")),
                said.get("summary", ""),
            )  # fmt: skip
        elif match := _BLAME_HEAD.fullmatch(row):
            commit, line, said = match[1], int(match[2]), {}
        else:
            key, _, value = row.partition(" ")
            said[key] = value
    return found


def _ms(seconds: str) -> int:
    return int(seconds) * 1000 if seconds.isascii() and seconds.isdigit() else 0
