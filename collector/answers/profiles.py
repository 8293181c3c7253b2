"""What does each function of an endpoint cost, in profiled requests?"""

from collections.abc import Iterable
from itertools import islice
from typing import Any

from collector.answers.records import Answer, Profile, ProfiledCaller, ProfiledFunction, Window
from collector.answers.sides import Side
from collector.errors import BadQuestion
from collector.store import profile_reads, reads
from collector.store.store import Store, truncated

__all__ = ["profiles"]

FUNCTIONS_MAX = 500
CALLERS_MAX = 20
NOTHING = float("nan")


def profiles(
    store: Store, window: Window, *, service: str, endpoint: str, release: str = ""
) -> Answer[Profile]:
    """Functions by own cost, dearest first; units are not mixed: the one of most requests."""
    if not endpoint:
        raise BadQuestion("endpoint is needed, such as endpoint=GET /feed/.")
    units = profile_reads.profiled_requests(store, window, service, endpoint, release).to_pylist()
    if not units:
        return Answer(Profile(service, endpoint, "", 0, NOTHING, NOTHING, ()))
    unit, requests = units[0]["cost_unit"], units[0]["requests"]
    table = profile_reads.function_costs(store, window, service, endpoint, release)
    rows = [row for row in table.to_pylist() if row["cost_unit"] == unit]
    found = _functions(rows, requests)
    counted = _counted_cost(store, window, service, endpoint, release, unit)
    cost = sum(function.cost_self for function in found)
    return Answer(
        Profile(
            service=service,
            endpoint=endpoint,
            unit=unit,
            requests=requests,
            cost=cost,
            counted_cost=counted,
            functions=tuple(found[:FUNCTIONS_MAX]),
            releases=tuple(units[0]["releases"]),
            other_units=tuple(row["cost_unit"] for row in units[1:]),
        ),
        unit=unit,
        truncated=truncated(table) or len(found) > FUNCTIONS_MAX,
        as_of_ms=max(row["last_seen_ms"] for row in units),
    )


def _functions(rows: Iterable[dict[str, Any]], requests: int) -> list[ProfiledFunction]:
    callers: dict[str, list[ProfiledCaller]] = {}
    for row in rows:
        one = ProfiledCaller(
            caller=row["caller"],
            calls=row["call_count"] / requests,
            cost_self=row["self_total"] / requests,
            cost_inclusive=row["inclusive_total"] / requests,
        )
        callers.setdefault(row["function"], []).append(one)
    total = sum(one.cost_self for group in callers.values() for one in group) or 1.0
    found = [_function(name, group, total) for name, group in callers.items()]
    return sorted(found, key=lambda one: (-one.cost_self, one.function))


def _function(name: str, callers: list[ProfiledCaller], total: float) -> ProfiledFunction:
    cost_self = sum(one.cost_self for one in callers)
    dearest = sorted(callers, key=lambda one: (-one.cost_inclusive, one.caller))
    return ProfiledFunction(
        function=name,
        calls=sum(one.calls for one in callers),
        cost_self=cost_self,
        cost_inclusive=sum(one.cost_inclusive for one in callers),
        self_share=cost_self / total,
        callers=tuple(islice(dearest, CALLERS_MAX)),
    )


def _counted_cost(
    store: Store, window: Window, service: str, endpoint: str, release: str, unit: str
) -> float:
    """Mean cost of the requests that were not profiled, in the same unit."""
    side = Side("all", release, "", "", window.from_ms, window.to_ms)
    span_ms = max(window.to_ms - window.from_ms, 1)
    table = reads.request_windows(store, side, service, endpoint, window_ms=span_ms)
    rows = [row for row in table.to_pylist() if row["cost_unit"] == unit]
    count = sum(row["n"] for row in rows)
    return sum(row["cost_sum"] for row in rows) / count if count else NOTHING
