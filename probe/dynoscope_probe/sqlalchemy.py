"""SQLAlchemy: one executed statement is one database call, whatever the driver."""

from __future__ import annotations

from time import perf_counter_ns
from types import ModuleType
from typing import Any

from dynoscope_probe.calls import begin_db_call, end_db_call
from dynoscope_probe.imports import when_imported
from dynoscope_probe.request import ERROR, OK

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
    nested = None if context is None else begin_db_call()
    if nested is not None:
        vars(context)[_BEGUN] = nested, perf_counter_ns()


def _after(conn: Any, cursor: Any, statement: Any, parameters: Any, context: Any, _: bool) -> None:
    _end(context, statement, OK)


def _failed(failure: Any) -> None:
    _end(failure.execution_context, failure.statement, ERROR)


def _end(context: Any, statement: Any, outcome: int) -> None:
    begun = None if context is None else vars(context).pop(_BEGUN, None)
    if begun is not None:
        nested, started_ns = begun
        end_db_call(nested, started_ns, outcome, statement)
