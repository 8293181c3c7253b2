"""A statement's text without its values, so that equal statements count as one."""

from __future__ import annotations

import re

__all__ = ["fingerprint_text"]

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
_LIST = re.compile(r"\(\s*\?(?:\s*,\s*\?)+\s*\)")
_ROWS = re.compile(r"(\(\?(?:\.\.\.)?\))(?:\s*,\s*\(\?(?:\.\.\.)?\))+")


def fingerprint_text(sql: str) -> str:
    """`WHERE a IN (1, 2) AND b = 'x'` -> `WHERE a IN (?...) AND b = ?`.

    Comments go; lists of values and rows of values become one each, whatever their length.
    """
    text = " ".join(_VALUES.sub(_replaced, sql[:_RAW_MAX]).split())
    return _ROWS.sub(r"\1", _LIST.sub("(?...)", text))


def _replaced(found: re.Match[str]) -> str:
    if found.group("comment"):
        return " "
    return found.group("name") or "?"
