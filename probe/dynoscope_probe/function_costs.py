"""What cProfile counted -> cost per function and caller, without the profiler's own cost. Pure."""

from __future__ import annotations

from types import CodeType
from typing import Any, Callable, Collection, NamedTuple, Optional, Sequence, Union

from dynoscope_probe.overhead import Overhead, kind_of

__all__ = ["OTHER_FUNCTION", "FunctionCost", "dearest", "function_costs"]

#: Stands for the pairs past the limit.
OTHER_FUNCTION = "(other)"
#: Inclusive costs come from callees: so often are they passed up, callees first.
ROUNDS = 4

Code = Union[CodeType, str]


class FunctionCost(NamedTuple):
    """One function as one other called it; `caller` "": what the profiled code did not call."""

    function: str
    caller: str
    calls: int
    cost_self: float
    cost_inclusive: float


class _Edge(NamedTuple):
    """As counted, the profiler's own cost within: `own` without, `total` with what it called."""

    caller: Optional[Code]
    calls: int
    own: float
    total: float


def function_costs(
    stats: Sequence[Any],
    overhead: Overhead,
    name_of: Callable[[Code], str],
    leave_out: Collection[Code] = (),
) -> list[FunctionCost]:
    """Costs from `Profiler.getstats()`, in the timer's unit; `leave_out` is the probe's own code.

    Per function the own costs are exact but for the overhead's error; where several functions call
    one, they share its own and nested overhead in proportion to what was counted. Inclusive costs
    count a recursive function once: they add up over its callers.
    """
    edges = _edges(stats)
    overhead = overhead.among([entry.callcount for entry in stats])
    own = _own_costs(stats, edges, overhead)
    nested = _nested_shares(stats, own)
    merged: dict[tuple[str, str], FunctionCost] = {}
    for entry in stats:
        if entry.code in leave_out:
            continue
        rows = _rows(entry, edges[entry.code], own, nested[entry.code])
        for edge, cost_self, inclusive in rows:
            if edge.caller in leave_out:
                continue
            caller = "" if edge.caller is None else name_of(edge.caller)
            key = name_of(entry.code), caller
            known = merged.get(key, FunctionCost(*key, 0, 0.0, 0.0))
            merged[key] = FunctionCost(
                *key,
                known.calls + edge.calls,
                known.cost_self + cost_self,
                known.cost_inclusive + inclusive,
            )
    return list(merged.values())


def dearest(costs: Sequence[FunctionCost], rows_max: int) -> tuple[list[FunctionCost], int]:
    """(at most `rows_max` rows, pairs that the last of them, `(other)`, adds up)."""
    if len(costs) <= rows_max:
        return list(costs), 0
    ranked = sorted(costs, key=lambda cost: -max(cost.cost_self, cost.cost_inclusive / 8))
    kept, rest = ranked[: rows_max - 1], ranked[rows_max - 1 :]
    own = sum(cost.cost_self for cost in rest)
    calls = sum(cost.calls for cost in rest)
    return [*kept, FunctionCost(OTHER_FUNCTION, "", calls, own, own)], len(rest)


def _edges(stats: Sequence[Any]) -> dict[Code, list[_Edge]]:
    """Who called each function: the callers, then what nobody that was profiled called."""
    edges: dict[Code, list[_Edge]] = {entry.code: [] for entry in stats}
    for entry in stats:
        for sub in entry.calls or ():
            edges[sub.code].append(_Edge(entry.code, sub.callcount, sub.inlinetime, sub.totaltime))
    for entry in stats:
        incoming = edges[entry.code]
        calls = entry.callcount - sum(edge.calls for edge in incoming)
        if calls > 0:
            own = entry.inlinetime - sum(edge.own for edge in incoming)
            total = entry.totaltime - sum(
                edge.total for edge in incoming if edge.caller is not entry.code
            )
            incoming.append(_Edge(None, calls, max(0.0, own), max(0.0, own, total)))
    return edges


def _own_costs(
    stats: Sequence[Any], edges: dict[Code, list[_Edge]], overhead: Overhead
) -> dict[tuple[Optional[Code], Code], float]:
    """(caller, function) -> its own cost without the profiler's.

    What its callees' `around` put into a function is known for the function, not for each of its
    callers: there it goes in proportion. So does the slowdown of its bytecode.
    """
    own: dict[tuple[Optional[Code], Code], float] = {}
    for entry in stats:
        kind = kind_of(entry.code)
        counted = {
            edge.caller: max(0.0, edge.own - edge.calls * overhead.inside[kind])
            for edge in edges[entry.code]
        }
        around = sum(
            sub.callcount * overhead.around[kind_of(sub.code)] for sub in entry.calls or ()
        )
        total = sum(counted.values())
        slowed = max(0.0, total - around)
        cost = overhead.without_slowdown(entry.code, entry.callcount, slowed)
        share = cost / total if total > 0 else 0.0
        for caller, as_counted in counted.items():
            own[caller, entry.code] = as_counted * share
    return own


def _nested_shares(
    stats: Sequence[Any], own: dict[tuple[Optional[Code], Code], float]
) -> dict[Code, float]:
    """Of what each function's callees cost as counted, the share that is not the profiler's.

    It follows from the callees' own shares. Callees come before their callers where no recursion
    ties them together; there a few rounds come close.
    """
    shares: dict[Code, float] = dict.fromkeys([entry.code for entry in stats], 1.0)
    upwards = sorted((one for one in stats if one.calls), key=lambda one: one.totaltime)
    for _ in range(ROUNDS):
        for entry in upwards:
            counted = true = 0.0
            for sub in entry.calls:
                counted += sub.totaltime
                below = max(0.0, sub.totaltime - sub.inlinetime)
                true += own[entry.code, sub.code] + below * shares[sub.code]
            shares[entry.code] = min(1.0, true / counted) if counted > 0 else 0.0
    return shares


def _rows(
    entry: Any,
    incoming: Sequence[_Edge],
    own: dict[tuple[Optional[Code], Code], float],
    nested: float,
) -> list[tuple[_Edge, float, float]]:
    """(edge, own cost, inclusive cost) per caller.

    A call from within itself costs nothing inclusive: the outer call holds it. What longer cycles
    count twice is taken from all callers alike.
    """
    counted = sum(edge.total for edge in incoming if edge.caller is not entry.code)
    excess = max(1.0, counted / entry.totaltime) if entry.totaltime > 0 else 1.0
    rows = []
    for edge in incoming:
        cost = own[edge.caller, entry.code]
        inclusive = (cost + max(0.0, edge.total - edge.own) * nested) / excess
        rows.append((edge, cost, 0.0 if edge.caller is entry.code else inclusive))
    return rows
