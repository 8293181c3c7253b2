"""Celery: one record a task, named `task <registered name>`; prefork, threads and solo pools."""

from __future__ import annotations

import functools
from typing import Any, Callable

from dynoscope_probe import guard
from dynoscope_probe.endpoint import without_endpoint_frames
from dynoscope_probe.errors import note_error
from dynoscope_probe.publishing import HEADERS
from dynoscope_probe.request import ERROR, OK, TASK, begin_request
from dynoscope_probe.routes import install_django

__all__ = ["install"]


def install(app: Any) -> None:
    """Count the tasks that workers of this Celery application run. Installing twice is once."""
    try:
        from celery.app import trace

        if not hasattr(trace.build_tracer, "_dynoscope"):
            trace.build_tracer = _counting(trace.build_tracer)
    except Exception:
        guard.swallowed()


def _counting(build_tracer: Callable[..., Any]) -> Callable[..., Any]:
    """Celery makes each task's tracer once a worker process: there its `run` is wrapped."""

    @functools.wraps(build_tracer)
    def build(name: str, task: Any, *arguments: Any, **named: Any) -> Any:
        try:
            install_django()
            if not hasattr(task.run, "_dynoscope"):
                task.run = _counted(name, task, task.run)
        except Exception:
            guard.swallowed()
        return build_tracer(name, task, *arguments, **named)

    build._dynoscope = True  # type: ignore[attr-defined]
    return build


def _counted(name: str, task: Any, run: Callable[..., Any]) -> Callable[..., Any]:
    endpoint = "task %s" % name

    def name_of(_: dict[str, Any]) -> tuple[str, Any]:
        return endpoint, None

    @functools.wraps(run)
    def counted(*arguments: Any, **named: Any) -> Any:
        request = begin_request(TASK, name_of, _headers(task))
        # None also for a task that runs eagerly within a request: its cost is that one's.
        if request is None:
            return run(*arguments, **named)
        try:
            result = request.frame(functools.partial(run, *arguments, **named))
        except BaseException as error:
            request.end(_failed(request, error))
            raise
        request.end(OK)
        return result

    counted._dynoscope = True  # type: ignore[attr-defined]
    return counted


def _headers(task: Any) -> dict[str, Any]:
    """The trace that the task's message brought, named as WSGI names it."""
    try:
        message = task.request
        found = ((name, getattr(message, header, None)) for header, name in HEADERS.items())
        return {name: value for name, value in found if isinstance(value, str)}
    except Exception:
        guard.swallowed()
        return {}


def _failed(request: Any, error: BaseException) -> int:
    """Outcome of a task that raised; Retry, Ignore and Reject are how a task speaks to Celery."""
    try:
        from celery.exceptions import TaskPredicate

        error.__traceback__ = without_endpoint_frames(error.__traceback__)
        if isinstance(error, TaskPredicate):
            return OK
        note_error(request, error)
    except Exception:
        guard.swallowed()
    return ERROR
