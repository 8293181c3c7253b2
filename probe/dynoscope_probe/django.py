"""Django: route, database and cache time, errors. Installed by itself, without settings."""

from __future__ import annotations

import sys
from time import perf_counter_ns
from typing import Any, Callable

from dynoscope_probe import guard
from dynoscope_probe.calls import begin_db_call, end_db_call, timed_cache_call
from dynoscope_probe.errors import note_error
from dynoscope_probe.request import ERROR, OK, current_request

__all__ = ["install"]

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
    from django.core.signals import got_request_exception
    from django.db import connections
    from django.db.backends.signals import connection_created

    from dynoscope_probe import django_routes

    connection_created.connect(_on_connection, dispatch_uid=_UID, weak=False)
    for connection in connections.all(initialized_only=True):
        _on_connection(connection=connection)
    got_request_exception.connect(_on_exception, dispatch_uid=_UID, weak=False)
    django_routes.install()
    _time_caches()


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
    nested = begin_db_call()
    if nested is None:
        return execute(sql, params, many, context)
    outcome = ERROR
    started_ns = perf_counter_ns()
    try:
        result = execute(sql, params, many, context)
        outcome = OK
        return result
    finally:
        end_db_call(nested, started_ns, outcome, sql)


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
