"""SQLAlchemy: one executed statement is one database call, whatever the driver."""

from __future__ import annotations

from time import perf_counter_ns
from types import ModuleType
from typing import Any

from dynoscope_probe import guard
from dynoscope_probe.calls import statement_id
from dynoscope_probe.imports import when_imported
from dynoscope_probe.request import ERROR, OK, current_request
from dynoscope_probe.spans import DB, nested_call

__all__ = ["install"]

#: Where an execution keeps its place and when it began.
_BEGUN = "_dynoscope_begun"


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
    request = current_request()
    nested = None if context is None or request is None else nested_call(request, DB)
    if nested is not None:
        nested.enter()
        vars(context)[_BEGUN] = nested, perf_counter_ns()


def _after(conn: Any, cursor: Any, statement: Any, parameters: Any, context: Any, _: bool) -> None:
    _count(context, statement, OK)


def _failed(failure: Any) -> None:
    _count(failure.execution_context, failure.statement, ERROR)


def _count(context: Any, statement: Any, outcome: int) -> None:
    ended_ns = perf_counter_ns()
    try:
        nested, started_ns = (None, 0) if context is None else vars(context).pop(_BEGUN, (None, 0))
        if nested is None:
            return
        nested.leave()
        request = current_request()
        if request is not nested.request:  # it was begun in another one
            return
        text_id = statement_id(request.process, statement) if isinstance(statement, str) else 0
        request.add_db_call(text_id, started_ns, ended_ns, outcome, nested)
    except Exception:
        guard.swallowed()
