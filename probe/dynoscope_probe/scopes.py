"""What an ASGI scope says of its route, in the way of Starlette's routers."""

from __future__ import annotations

import re
from typing import Any, Iterator, Optional

__all__ = ["template_of"]

_DEPTH_MAX = 8
_IN_BRACES = re.compile(r"\{[^{}:]+(:path)?[^{}]*\}")


def template_of(scope: dict[str, Any], route: Any = None) -> Optional[str]:
    """The template of the route that a scope was routed to, mounts included; None: it was not.

    Older Starlettes do not say in the scope which `route` it was.
    """
    route = scope.get("route") if route is None else route
    path = getattr(route, "path", None)
    if not isinstance(path, str):
        return None
    if getattr(route, "routes", None):  # a mount, in which nothing matched
        return None
    root_path: str = scope.get("app_root_path", scope.get("root_path", ""))
    mounts = list(_mounts_above(route, getattr(scope.get("router"), "routes", ())))
    if len(mounts) > 1:  # one route is mounted twice: what the mounts matched tells which it was
        matched = scope["root_path"][len(root_path) :]
        mounts = [mount for mount in mounts if _matches(mount, matched)] or mounts
    above = mounts[0] if mounts else ""
    whole = path if hasattr(route, "endpoint") else getattr(route, "path_format", path)
    return root_path.rstrip("/") + above + "/" + whole.lstrip("/")


def _mounts_above(route: Any, routes: Any, above: str = "", depth: int = 0) -> Iterator[str]:
    """The templates of the mounts that lead to a route, one for each way."""
    for entry in routes:
        if entry is route:
            yield above
        elif depth < _DEPTH_MAX:
            inner = getattr(entry, "routes", None)
            if inner:
                mount = above + getattr(entry, "path", "").rstrip("/")
                yield from _mounts_above(route, inner, mount, depth + 1)


def _matches(template: str, path: str) -> bool:
    parts, at = [], 0
    for found in _IN_BRACES.finditer(template):
        parts += [re.escape(template[at : found.start()]), ".*" if found[1] else "[^/]+"]
        at = found.end()
    return re.fullmatch("".join(parts) + re.escape(template[at:]), path) is not None
