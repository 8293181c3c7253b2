"""What should be set for uWSGI on each host of a service?"""

from dataclasses import dataclass

from collector.answers.limits import limits_hit
from collector.answers.pools import pools
from collector.answers.records import Answer, Window
from collector.store.store import Store
from profiler.advice import Advice, advise

__all__ = ["HostAdvice", "advice"]


@dataclass(frozen=True, slots=True)
class HostAdvice:
    """One host's advice, a row a setting."""

    service: str
    host: str
    requests: int
    advice: tuple[Advice, ...]


def advice(store: Store, window: Window, service: str) -> Answer[tuple[HostAdvice, ...]]:
    """Advice for every host that served requests in the window."""
    found, as_of_ms = pools(store, window, service)
    rows = tuple(
        HostAdvice(one.service, one.host, round(one.requests), advise(one)) for one in found
    )
    return Answer(rows, as_of_ms=as_of_ms, limits=limits_hit(store, window, service))
