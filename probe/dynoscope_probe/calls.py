"""What a request asked of others: database, cache and outgoing calls, timed and remembered."""

from __future__ import annotations

import functools
from time import perf_counter_ns
from typing import Any, Callable, Optional

from dynoscope_probe import guard
from dynoscope_probe.process import Process
from dynoscope_probe.request import ERROR, OK, Request, current_request
from dynoscope_probe.statements import fingerprint_text, is_one_time

__all__ = ["OTHER", "bounded_name", "statement_id", "timed_cache_call"]

#: Names of calls that a process keeps; further ones become `(other)`.
NAMES_MAX = 500
OTHER = "(other)"
#: Texts of statements whose string id is remembered; beyond that they are worked out each time.
STATEMENTS_MAX = 5_000


def timed_cache_call(
    method: Callable[..., Any], name: str, name_of: Optional[Callable[..., str]] = None
) -> Callable[..., Any]:
    """A cache's method that counts its calls, named `name`, or by its arguments.

    A call within a call does not count.
    """

    @functools.wraps(method)
    def timed(*arguments: Any, **named: Any) -> Any:
        request = current_request()
        if request is None or request.cache_depth:
            return method(*arguments, **named)
        request.cache_depth = 1
        outcome = ERROR
        started_ns = perf_counter_ns()
        try:
            result = method(*arguments, **named)
            outcome = OK
            return result
        finally:
            ended_ns = perf_counter_ns()
            request.cache_depth = 0
            try:
                called = name if name_of is None else name_of(request, *arguments)
                request.add_cache_call(called, started_ns, ended_ns, outcome)
            except Exception:
                guard.swallowed()

    timed._dynoscope = True  # type: ignore[attr-defined]
    return timed


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
