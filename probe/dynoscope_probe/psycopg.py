"""psycopg 3 and psycopg2 without a framework: one executed statement is one database call.

Beneath a framework whose statements are timed already they do not count again.
"""

from __future__ import annotations

import functools
from time import perf_counter_ns
from types import ModuleType
from typing import Any, Callable, Optional

from dynoscope_probe import guard
from dynoscope_probe.calls import begin_db_call, end_db_call
from dynoscope_probe.imports import when_imported
from dynoscope_probe.request import ERROR, OK

__all__ = ["install"]

_METHODS = ("execute", "executemany")
_METHODS_2 = ("execute", "executemany", "copy_expert")
#: A class of psycopg2 -> the same with timed methods. Classes of C cannot be changed in place.
_timed_classes: dict[type, type] = {}
CLASSES_MAX = 100


def install() -> None:
    """Hook into the drivers of this process as soon as they are imported."""
    when_imported("psycopg", _hook)
    when_imported("psycopg2", _hook_2)


def _hook(module: ModuleType) -> None:
    for name, timed in (
        ("Cursor", _timed),
        ("ServerCursor", _timed),
        ("AsyncCursor", _timed_async),
        ("AsyncServerCursor", _timed_async),
    ):
        _wrap_methods(getattr(module, name), timed)


def _hook_2(module: ModuleType) -> None:
    """`connect` makes connections by `_connect`; those that there are already stay untimed."""
    names = vars(module)
    connect = names["_connect"]
    extensions = names["extensions"]
    if hasattr(connect, "_dynoscope"):
        return

    @functools.wraps(connect)
    def connecting(dsn: Any, connection_factory: Any = None, **named: Any) -> Any:
        factory = connection_factory or extensions.connection
        try:
            if isinstance(factory, type):
                factory = _timed_connection(factory, extensions) or factory
        except Exception:
            guard.swallowed()
        return connect(dsn, connection_factory=factory, **named)

    connecting._dynoscope = True  # type: ignore[attr-defined]
    names["_connect"] = connecting


def _timed_connection(base: Any, extensions: Any) -> Any:
    """The class of connections, with cursors that are timed."""

    def cursor(self: Any, *arguments: Any, **named: Any) -> Any:
        given = arguments[1] if len(arguments) > 1 else named.get("cursor_factory")
        factory = given or self.cursor_factory
        made = None
        if factory is None:  # what the connection takes then is known by what it makes
            made = base.cursor(self, *arguments, **named)
            factory = type(made)
        timed = _timed_cursor(factory, extensions)
        if timed is None:
            return base.cursor(self, *arguments, **named) if made is None else made
        if len(arguments) > 1:
            arguments = (arguments[0], timed, *arguments[2:])
        else:
            named["cursor_factory"] = timed
        return base.cursor(self, *arguments, **named)

    return _timed_class(base, {"cursor": cursor})


def _timed_cursor(factory: Any, extensions: Any) -> Any:
    """The class of cursors with timed methods; None: it has them, or is no such class."""
    try:
        if not isinstance(factory, type) or not issubclass(factory, extensions.cursor):
            return None
        if hasattr(factory, "_dynoscope"):
            return None
        methods = {name: _timed(getattr(factory, name)) for name in _METHODS_2}
        return _timed_class(factory, {**methods, "_dynoscope": True})
    except Exception:
        guard.swallowed()
        return None


def _timed_class(base: type, names: dict[str, Any]) -> Optional[type]:
    """A class in the place of another; None: there are too many."""
    known = _timed_classes.get(base)
    if known is None and len(_timed_classes) < CLASSES_MAX:
        own = {
            "__module__": base.__module__,
            "__qualname__": base.__qualname__,
            "__doc__": base.__doc__,
        }
        known = _timed_classes[base] = type(base.__name__, (base,), {**own, **names})
    return known


def _wrap_methods(cursor: type, timed: Callable[..., Any]) -> None:
    for name in _METHODS:
        method = getattr(cursor, name)
        if not hasattr(method, "_dynoscope"):
            wrapped = timed(method)
            wrapped._dynoscope = True
            setattr(cursor, name, wrapped)


def _timed(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def timed(self: Any, *arguments: Any, **named: Any) -> Any:
        nested = begin_db_call()
        if nested is None:
            return method(self, *arguments, **named)
        outcome = ERROR
        started_ns = perf_counter_ns()
        try:
            result = method(self, *arguments, **named)
            outcome = OK
            return result
        finally:
            end_db_call(nested, started_ns, outcome, _statement(arguments, named), self)

    return timed


def _timed_async(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    async def timed(self: Any, *arguments: Any, **named: Any) -> Any:
        nested = begin_db_call()
        if nested is None:
            return await method(self, *arguments, **named)
        outcome = ERROR
        started_ns = perf_counter_ns()
        try:
            result = await method(self, *arguments, **named)
            outcome = OK
            return result
        finally:
            end_db_call(nested, started_ns, outcome, _statement(arguments, named), self)

    return timed


def _statement(arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
    return arguments[0] if arguments else named.get("query", named.get("sql"))
