"""Flask: the route of a request, and the errors that Flask answers with 500."""

from __future__ import annotations

from typing import Any, Callable, Optional

from dynoscope_probe import guard
from dynoscope_probe.errors import note_error
from dynoscope_probe.request import current_request

__all__ = ["install"]


def install(application: Any) -> Callable[[dict[str, Any]], Optional[str]]:
    """Listen to the application's errors; gives the function from environ to its route."""
    from flask import got_request_exception
    from werkzeug.exceptions import HTTPException

    got_request_exception.connect(_on_exception, application)

    def route(environ: dict[str, Any]) -> Optional[str]:
        try:
            rule, _ = application.url_map.bind_to_environ(environ).match(return_rule=True)
        except HTTPException:  # not found, another method, or a redirect to the right spelling
            return None
        return str(rule.rule)

    return route


def _on_exception(sender: Any, exception: BaseException, **_: Any) -> None:
    try:
        counted = current_request()
        if counted is not None:
            note_error(counted, exception)
    except Exception:
        guard.swallowed()
