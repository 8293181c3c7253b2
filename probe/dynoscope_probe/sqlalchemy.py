"""SQLAlchemy: one executed statement is one database call, whatever the driver."""

from __future__ import annotations

from time import perf_counter_ns
from types import ModuleType
from typing import Any

from dynoscope_probe import guard
from dynoscope_probe.calls import statement_id
from dynoscope_probe.imports import when_imported
from dynoscope_probe.request import ERROR, OK, current_request

__all__ = ["install"]

#: Where an execution keeps when it began.
_STARTED = "_dynoscope_started_ns"


def install() -> None:
    """Hook into all engines of this process as soon as SQLAlchemy is imported."""
    when_imported("sqlalchemy", _hook)


def _hook(module: ModuleType) -> None:
    engine: Any = module.engine.Engine
    hooks = (
        ("before_cursor_execute", _before),
        ("after_cursor_execute", _after),
        ("handle_error", _failed),
    )
    for name, hook in hooks:
        if not module.event.contains(engine, name, hook):
            module.event.listen(engine, name, hook)


def _before(conn: Any, cursor: Any, statement: Any, parameters: Any, context: Any, _: bool) -> None:
    if context is not None and current_request() is not None:
        vars(context)[_STARTED] = perf_counter_ns()


def _after(conn: Any, cursor: Any, statement: Any, parameters: Any, context: Any, _: bool) -> None:
    _count(context, statement, OK)


def _failed(failure: Any) -> None:
    _count(failure.execution_context, failure.statement, ERROR)


def _count(context: Any, statement: Any, outcome: int) -> None:
    ended_ns = perf_counter_ns()
    request = current_request()
    if context is None or request is None:
        return
    try:
        started_ns = vars(context).pop(_STARTED, 0)
        if started_ns:
            text_id = statement_id(request.process, statement) if isinstance(statement, str) else 0
            request.add_db_call(text_id, started_ns, ended_ns, outcome)
    except Exception:
        guard.swallowed()
