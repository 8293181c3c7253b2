"""A statement's text without its values, so that equal statements count as one."""

from __future__ import annotations

import re

__all__ = ["fingerprint_text", "is_one_time"]

#: Read no further: a bulk insert of megabytes is known by its beginning.
_RAW_MAX = 16_384
_VALUES = re.compile(
    r"""
      (?P<comment> --[^\n]* | /\*.*?\*/ )
    | (?P<name> "(?:[^"]|"")*" | `[^`]*` )
    | (?P<value>
        (?:\b[EBXNebxn])?'(?:[^'\\]|''|\\.)*'         # 'text', also cut off at the end
      | '[^']*\Z
      | \$(?P<tag>[A-Za-z_]*)\$.*?\$(?P=tag)\$          # $$text$$
      | %\([^)]*\)s | %s | \$\d+ | (?<![\w:]):[A-Za-z_]\w*
      | (?<![\w.$])(?:0x[0-9A-Fa-f]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)\b
      )
    """,
    re.VERBOSE | re.DOTALL,
)
#: Names made anew for each use: Django's savepoints, drivers' prepared statements and cursors.
_ONE_TIME = re.compile(
    r"(?i)\A(\s*(?:SAVEPOINT|RELEASE(?:\s+SAVEPOINT)?|ROLLBACK\s+TO(?:\s+SAVEPOINT)?"
    r"|EXECUTE|DEALLOCATE|PREPARE|FETCH\s+.*?\bFROM|DECLARE|CLOSE)\s+)(\"[^\"]*\"|`[^`]*`|[\w$]+)"
)
_LIST = re.compile(r"\(\s*\?(?:\s*,\s*\?)+\s*\)")
_ROWS = re.compile(r"(\(\?(?:\.\.\.)?\))(?:\s*,\s*\(\?(?:\.\.\.)?\))+")


def fingerprint_text(sql: str) -> str:
    """`WHERE a IN (1, 2) AND b = 'x'` -> `WHERE a IN (?...) AND b = ?`.

    Comments go; lists of values and rows of values become one each, whatever their length; so do
    names that are made anew for each use, such as a savepoint's.
    """
    text = _ONE_TIME.sub(r"\1?", sql[:_RAW_MAX])
    text = " ".join(_VALUES.sub(_replaced, text).split())
    return _ROWS.sub(r"\1", _LIST.sub("(?...)", text))


def is_one_time(sql: str) -> bool:
    """Whether the raw text will hardly come again: not worth remembering."""
    return _ONE_TIME.match(sql) is not None


def _replaced(found: re.Match[str]) -> str:
    if found.group("comment"):
        return " "
    return found.group("name") or "?"
