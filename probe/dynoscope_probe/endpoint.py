"""What an endpoint is called, and the frame that carries its name through every stack."""

from __future__ import annotations

import re
import sys
from functools import lru_cache
from types import TracebackType
from typing import Any, Callable, Optional

__all__ = [
    "ENDPOINT_FILE",
    "async_endpoint_frame",
    "endpoint_frame",
    "endpoint_name",
    "under_endpoint_name",
    "without_endpoint_frames",
    "without_frames",
]

#: File name of the code object whose function name is the endpoint.
ENDPOINT_FILE = "<endpoint>"
#: Endpoints whose spelling is remembered.
SPELLINGS_MAX = 4_096
UNMATCHED = "(unmatched)"
_METHODS = frozenset(
    ("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH")
)
_REGEX = re.compile(r"\(\?|\^|\$|\\[A-Za-z.]|(?<!>)\(")
_IN_BRACES = re.compile(r"\{([^{}:]+)(?::[^{}]*)?\}")


@lru_cache(maxsize=SPELLINGS_MAX)
def endpoint_name(method: str, route: Optional[str]) -> str:
    """`METHOD /template/`; None is no route. Converters are dropped, regex groups become <name>.

    Takes the spellings of Django (`media/<int:id>/`, `^media/(?P<id>[0-9]+)/$`), Flask
    (`/media/<int:id>`) and Starlette (`/media/{id:int}`).
    """
    verb = method if method in _METHODS else "(method)"
    if route is None:
        return "%s %s" % (verb, UNMATCHED)
    plain = _without_converters(route)
    if _REGEX.search(_without_names(plain)):
        plain = _without_regex(plain)
    return "%s /%s" % (verb, _IN_BRACES.sub(r"<\1>", plain).lstrip("/"))


def endpoint_frame(name: str) -> Callable[..., Any]:
    """A function `frame(call, *arguments)` whose frame bears the endpoint's name."""

    def frame(call: Callable[..., Any], *arguments: Any) -> Any:
        return call(*arguments)

    return under_endpoint_name(frame, name)


@lru_cache(maxsize=SPELLINGS_MAX)
def async_endpoint_frame(name: str) -> Callable[..., Any]:
    """The same for what is awaited."""

    async def frame(call: Callable[..., Any], *arguments: Any) -> Any:
        return await call(*arguments)

    return under_endpoint_name(frame, name)


def under_endpoint_name(frame: Callable[..., Any], name: str) -> Callable[..., Any]:
    """The function, whose frames bear the endpoint's name from now on."""
    names = {"co_name": name, "co_filename": ENDPOINT_FILE, "co_firstlineno": 1}
    if sys.version_info >= (3, 11):
        names["co_qualname"] = name
    frame.__code__ = frame.__code__.replace(**names)  # type: ignore[arg-type]
    frame.__name__ = frame.__qualname__ = name
    return frame


def without_endpoint_frames(traceback: Optional[TracebackType]) -> Optional[TracebackType]:
    """The traceback with endpoint frames linked around, so that error groups do not change."""
    return without_frames(traceback)


def without_frames(traceback: Optional[TracebackType], *files: str) -> Optional[TracebackType]:
    """The traceback with endpoint frames and those of other files linked around, in place.

    Before CPython 3.11 a bare `raise` puts the first entry back, whatever it is.
    """
    hidden = (ENDPOINT_FILE, *files)
    entry = traceback
    while entry is not None:
        following = entry.tb_next
        while following is not None and following.tb_frame.f_code.co_filename in hidden:
            following = following.tb_next
        if following is not entry.tb_next:
            entry.tb_next = following
        entry = following
    if traceback is None or traceback.tb_frame.f_code.co_filename not in hidden:
        return traceback
    return traceback.tb_next


def _without_converters(route: str) -> str:
    """`<int:id>` -> `<id>`, also `<string(length=2):lang>`; regex groups stay as they are."""
    out, at = [], 0
    while at < len(route):
        end = _angle_end(route, at) if route[at] == "<" and route[at - 1 : at] != "P" else 0
        if end:
            out.append("<%s>" % route[at + 1 : end].rpartition(":")[2])
            at = end + 1
        else:
            out.append(route[at])
            at += 1
    return "".join(out)


def _angle_end(route: str, start: int) -> int:
    """Place of the `>` that closes the `<` at `start`, quotes minded; 0 if there is none."""
    quote = ""
    for at in range(start + 1, len(route)):
        char = route[at]
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char == ">":
            return at
    return 0


def _without_names(route: str) -> str:
    return re.sub(r"(?<!P)<[^<>]*>", "", route)


def _without_regex(route: str) -> str:
    """A regular expression as a template: groups become <name> or <1>, anchors and such go."""
    out, at, unnamed = [], 0, 0
    while at < len(route):
        char = route[at]
        if char == "\\":
            following = route[at + 1 : at + 2]
            out.append("" if following in "AZbB" else following)
            at += 2
        elif char == "(":
            end = _group_end(route, at)
            text, unnamed = _group(route[at : end + 1], unnamed)
            out.append(text)
            at = end + 1
        else:
            out.append("" if char in "^$?*+" else char)
            at += 1
    return "".join(out)


def _group(group: str, unnamed: int) -> tuple[str, int]:
    """(template of one regex group, unnamed groups so far)."""
    if group.startswith("(?P<"):
        return "<%s>" % group[4 : group.index(">")], unnamed
    if group.startswith("(?:"):
        return _without_regex(group[3:-1]), unnamed
    if group.startswith("(?"):
        return "", unnamed
    return "<%d>" % (unnamed + 1), unnamed + 1


def _group_end(route: str, start: int) -> int:
    """Place of the parenthesis that closes the one at `start`; the route's end if none does."""
    depth, at, in_class = 0, start, False
    while at < len(route):
        char = route[at]
        if char == "\\":
            at += 1
        elif in_class:
            in_class = char != "]"
        elif char == "[":
            in_class = True
        elif char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
            if depth == 0:
                return at
        at += 1
    return len(route)
