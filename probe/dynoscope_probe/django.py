"""Django: route, database and cache time, errors. Installed by itself, without settings."""

from __future__ import annotations

import functools
import sys
from time import perf_counter_ns
from typing import Any, Callable, Optional

from dynoscope_probe import guard
from dynoscope_probe.calls import statement_id, timed_cache_call
from dynoscope_probe.endpoint import endpoint_name
from dynoscope_probe.errors import note_error
from dynoscope_probe.request import ERROR, OK, current_request
from dynoscope_probe.routes import mounted

__all__ = ["install", "route"]

CACHE_METHODS = (
    "add", "clear", "decr", "delete", "delete_many", "get", "get_many", "get_or_set", "has_key",
    "incr", "set", "set_many", "touch",
)  # fmt: skip
_UID = "dynoscope_probe"

_installed = False


def install() -> None:
    """Hook into the Django of this process, once; its settings must be configured."""
    global _installed
    if _installed:
        return
    _installed = True
    from django.core.handlers.base import BaseHandler
    from django.core.signals import got_request_exception
    from django.db import connections
    from django.db.backends.signals import connection_created

    connection_created.connect(_on_connection, dispatch_uid=_UID, weak=False)
    for connection in connections.all(initialized_only=True):
        _on_connection(connection=connection)
    got_request_exception.connect(_on_exception, dispatch_uid=_UID, weak=False)
    BaseHandler.resolve_request = _renaming(BaseHandler.resolve_request)
    _time_caches()


def route(environ: dict[str, Any]) -> Optional[str]:
    """The route that the root urlconf has for a request; None if it has none."""
    from django.core.handlers.wsgi import get_path_info
    from django.urls import Resolver404, get_resolver

    try:
        return str(get_resolver(None).resolve(get_path_info(environ)).route)
    except Resolver404:
        return None


def _renaming(resolve_request: Callable[..., Any]) -> Callable[..., Any]:
    """Django's own resolving, after which the record has the name that Django found.

    It may differ from the early one: a middleware set `request.urlconf`, or the language.
    """

    @functools.wraps(resolve_request)
    def resolving(self: Any, request: Any) -> Any:
        match = resolve_request(self, request)
        try:
            counted = current_request()
            if counted is not None and hasattr(request, "environ"):
                route = mounted(str(match.route), request.environ)
                name = endpoint_name(request.environ["REQUEST_METHOD"], route)
                if name != counted.early_name:
                    counted.name(name)
        except Exception:
            guard.swallowed()
        return match

    return resolving


def _on_exception(**_: Any) -> None:
    """A view or a middleware raised: Django answers 500 in its stead."""
    try:
        counted, error = current_request(), sys.exc_info()[1]
        if counted is not None and error is not None:
            note_error(counted, error)
    except Exception:
        guard.swallowed()


def _on_connection(connection: Any, **_: Any) -> None:
    """A connection was made (again): its statements are timed."""
    if _timed_statement not in connection.execute_wrappers:
        connection.execute_wrappers.append(_timed_statement)


def _timed_statement(
    execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    counted = current_request()
    if counted is None:
        return execute(sql, params, many, context)
    outcome = ERROR
    started_ns = perf_counter_ns()
    try:
        result = execute(sql, params, many, context)
        outcome = OK
        return result
    finally:
        ended_ns = perf_counter_ns()
        try:
            text_id = statement_id(counted.process, sql) if isinstance(sql, str) else 0
            counted.add_db_call(text_id, started_ns, ended_ns, outcome)
        except Exception:
            guard.swallowed()


def _time_caches() -> None:
    """Time the methods of the configured cache backends' classes."""
    from django.conf import settings
    from django.utils.module_loading import import_string

    for options in settings.CACHES.values():
        backend = import_string(options["BACKEND"])
        for method in CACHE_METHODS:
            original = getattr(backend, method, None)
            if original is not None and not hasattr(original, "_dynoscope"):
                setattr(backend, method, timed_cache_call(original, "cache %s" % method))
