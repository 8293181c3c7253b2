"""What the pages ask, and of whom."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from collector.answers.records import Answer, ServiceRow, Window
from collector.answers.services import services
from collector.answers.sources.places import Places
from collector.answers.windows import parse_window
from collector.store.store import Store
from dashboards.urls import Query, parse_query

__all__ = ["NoData", "Question", "Source", "ask"]


class NoData(Exception):
    """Nothing was ever received, or nothing of the service asked for: one sentence."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where answers come from. `clock`: seconds since 1970."""

    store: Store
    clock: Callable[[], float]
    warmup_requests: int
    warmup_s: int
    server_cost_per_year: float = 0.0
    #: where the source of releases is; None: nothing is known of it
    places: Places | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A query made definite: its service chosen, its window in UTC ms."""

    query: Query
    window: Window
    now_ms: int
    service: ServiceRow
    services: tuple[ServiceRow, ...]


def ask(source: Source, data: Mapping[str, Any], start: str) -> Question:
    """The question in a page's query; `start` is the page's own default.

    The service that sent data last is chosen where none is named. Raises NoData, and BadQuestion
    for a window that is not understood.
    """
    query = parse_query(data)
    now_ms = int(source.clock() * 1000)
    known: Answer[tuple[ServiceRow, ...]] = services(source.store)
    if not known.data:
        raise NoData("No data has arrived yet.")
    named = [row for row in known.data if row.service == query.service]
    if query.service and not named:
        raise NoData(f"Nothing is known of a service named {query.service!r}.")
    row = named[0] if named else max(known.data, key=lambda row: row.last_ms)
    window = parse_window(query.start or start, query.end, now_ms)
    return Question(replace(query, service=row.service), window, now_ms, row, known.data)
