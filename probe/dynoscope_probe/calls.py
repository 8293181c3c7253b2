"""What a request asked of others: database, cache and outgoing calls, timed and remembered."""

from __future__ import annotations

import functools
from time import perf_counter_ns
from typing import Any, Callable, Optional

from dynoscope_probe import guard
from dynoscope_probe.process import Process
from dynoscope_probe.request import ERROR, OK, Request, current_request
from dynoscope_probe.spans import CACHE, DB, Nested, enter_call
from dynoscope_probe.statements import fingerprint_text, is_one_time

__all__ = [
    "OTHER",
    "begin_db_call",
    "bounded_name",
    "end_db_call",
    "statement_id",
    "timed_async_cache_call",
    "timed_cache_call",
]

#: Names of calls that a process keeps; further ones become `(other)`.
NAMES_MAX = 500
OTHER = "(other)"
#: Texts of statements whose string id is remembered; beyond that they are worked out each time.
STATEMENTS_MAX = 5_000


def timed_cache_call(
    method: Callable[..., Any], name: str, name_of: Optional[Callable[..., str]] = None
) -> Callable[..., Any]:
    """A cache's method that counts its calls, named `name`, or by its arguments.

    A cache call within a cache call does not count.
    """

    @functools.wraps(method)
    def timed(*arguments: Any, **named: Any) -> Any:
        request = current_request()
        nested = None if request is None else enter_call(request, CACHE)
        if request is None or nested is None:
            return method(*arguments, **named)
        outcome = ERROR
        started_ns = perf_counter_ns()
        try:
            result = method(*arguments, **named)
            outcome = OK
            return result
        finally:
            times_ns = started_ns, perf_counter_ns()
            nested.leave()
            _tell(request, nested, name_of, name, arguments, times_ns, outcome)

    timed._dynoscope = True  # type: ignore[attr-defined]
    return timed


def timed_async_cache_call(
    method: Callable[..., Any], name: str, name_of: Optional[Callable[..., str]] = None
) -> Callable[..., Any]:
    """As `timed_cache_call`, of a coroutine function: until it has its result."""

    @functools.wraps(method)
    async def timed(*arguments: Any, **named: Any) -> Any:
        request = current_request()
        nested = None if request is None else enter_call(request, CACHE)
        if request is None or nested is None:
            return await method(*arguments, **named)
        outcome = ERROR
        started_ns = perf_counter_ns()
        try:
            result = await method(*arguments, **named)
            outcome = OK
            return result
        finally:
            times_ns = started_ns, perf_counter_ns()
            nested.leave()
            _tell(request, nested, name_of, name, arguments, times_ns, outcome)

    timed._dynoscope = True  # type: ignore[attr-defined]
    return timed


def _tell(
    request: Request,
    nested: Nested,
    name_of: Optional[Callable[..., str]],
    name: str,
    arguments: tuple[Any, ...],
    times_ns: tuple[int, int],
    outcome: int,
) -> None:
    try:
        called = name if name_of is None else name_of(request, *arguments)
        request.add_cache_call(called, *times_ns, outcome, nested)
    except Exception:
        guard.swallowed()


def begin_db_call() -> Optional[Nested]:
    """A database call begins; None: outside of a request, or within another one."""
    request = current_request()
    return None if request is None else enter_call(request, DB)


def end_db_call(
    nested: Nested, started_ns: int, outcome: int, sql: Any, cursor: Any = None
) -> None:
    """It has ended; `sql`: its text, or what a driver's `cursor` makes one of."""
    ended_ns = perf_counter_ns()
    request = nested.request
    nested.leave()
    if request is None:
        return
    try:
        text = sql if isinstance(sql, str) else _text_of(sql, cursor)
        text_id = statement_id(request.process, text) if text else 0
        request.add_db_call(text_id, started_ns, ended_ns, outcome, nested)
    except Exception:
        guard.swallowed()


def _text_of(sql: Any, cursor: Any) -> str:
    """Of bytes, or of a driver's composed statement; "" of anything else."""
    if isinstance(sql, bytes):
        return sql.decode("utf-8", "replace")
    as_string = getattr(sql, "as_string", None)
    if as_string is None:
        return ""
    try:
        return str(as_string(cursor))
    except Exception:  # composed of what has no text: the driver refused it, too
        return ""


def bounded_name(request: Request, key: Any, name: str) -> str:
    """Keep the name of a kind of call; past NAMES_MAX it is `(other)`."""
    names = request.process.call_names
    if len(names) >= NAMES_MAX:
        return OTHER
    names[key] = name
    return name


def statement_id(process: Process, sql: str) -> int:
    """String id of a statement's text without its values."""
    known = process.statement_ids
    string_id = known.get(sql)
    if string_id is None:
        string_id = process.ring.string_id(fingerprint_text(sql), bulky=True)
        if len(known) < STATEMENTS_MAX and not is_one_time(sql):
            known[sql] = string_id
    return string_id
