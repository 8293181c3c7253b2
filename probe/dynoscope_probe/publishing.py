"""Tasks that a request hands to Celery carry its trace."""

from __future__ import annotations

from types import ModuleType
from typing import Any, Optional

from dynoscope_probe import guard
from dynoscope_probe.imports import when_imported
from dynoscope_probe.request import current_request
from dynoscope_probe.trace import traceparent_of

__all__ = ["HEADERS", "install"]

#: Header of a task's message -> the same of an HTTP request, as WSGI names it.
HEADERS = {"traceparent": "HTTP_TRACEPARENT", "tracestate": "HTTP_TRACESTATE"}
_UID = "dynoscope_probe"


def install() -> None:
    """Hook into Celery as soon as it is imported."""
    when_imported("celery.signals", _hook)


def _hook(module: ModuleType) -> None:
    module.before_task_publish.connect(_on_publish, weak=False, dispatch_uid=_UID)


def _on_publish(headers: Optional[dict[str, Any]] = None, **_: Any) -> None:
    request = current_request()
    if request is None or headers is None or not request.process.settings.traceparent:
        return
    try:
        if "traceparent" not in headers:
            headers["traceparent"] = traceparent_of(request.trace, request.trace[4])
            if request.tracestate:
                headers["tracestate"] = request.tracestate
    except Exception:
        guard.swallowed()
