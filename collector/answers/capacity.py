"""How many requests a second can each host of a service serve within its SLO?"""

from collector.answers.limits import limits_hit
from collector.answers.pools import pools
from collector.answers.records import Answer, Window
from collector.store.store import Store
from profiler.capacity import Capacity
from profiler.capacity import capacity as capacity_of

__all__ = ["capacity"]


def capacity(
    store: Store, window: Window, service: str, endpoint: str, limit_ms: float, share: float
) -> Answer[tuple[Capacity, ...]]:
    """A row a host. Rates are of all requests in their mix; the SLO is the endpoint's ("": all)."""
    found, as_of_ms = pools(store, window, service, endpoint)
    rows = tuple(capacity_of(one, limit_ms, share) for one in found)
    return Answer(
        rows, unit="requests/s", as_of_ms=as_of_ms, limits=limits_hit(store, window, service)
    )
