"""Which function made an endpoint dearer."""

from collections import defaultdict
from collections.abc import Sequence

from profiler.gate.callgrind import FRAMEWORK
from profiler.gate.records import Call, Changed, Function, Graph

__all__ = ["blame", "mean_graph"]

SHOWN_MAX = 5
CALLERS_MAX = 3
#: A function below this share of the rise is not worth a line.
SHARE_LEAST = 0.05


def blame(before: Graph, after: Graph, rise: float) -> tuple[Changed, ...]:
    """The functions that explain `rise` (cost per request, > 0), the guilty one first.

    A function is to blame for what it itself costs more per call, and for the calls that it makes
    more per call of its own, at their price before (a new callee: at its price now); not for
    callees that got dearer, which are to blame themselves.
    """
    sides = _Sides(before), _Sides(after)
    found = []
    for name in sides[0].own.keys() | sides[1].own.keys():
        amount = _amount(name, *sides)
        if rise > 0 and amount / rise >= SHARE_LEAST:
            found.append(_changed(name, amount, rise, *sides))
    return tuple(sorted(found, key=lambda one: -one.blame)[:SHOWN_MAX])


def mean_graph(graphs: Sequence[Graph]) -> Graph:
    """The mean of the same endpoint's graphs in several memory layouts."""
    own: dict[str, float] = defaultdict(float)
    edges: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0.0])
    for graph in graphs:
        for function in graph.functions:
            own[function.name] += function.own / len(graphs)
        for call in graph.calls:
            edges[call.caller, call.callee][0] += call.calls / len(graphs)
            edges[call.caller, call.callee][1] += call.inclusive / len(graphs)
    return Graph(
        tuple(Function(name, cost) for name, cost in sorted(own.items())),
        tuple(Call(*ends, *sums) for ends, sums in sorted(edges.items())),
    )


class _Sides:
    """One side's graph by name."""

    def __init__(self, graph: Graph) -> None:
        self.own = {function.name: function.own for function in graph.functions}
        self.calls: dict[str, float] = defaultdict(float)
        self.inclusive: dict[str, float] = defaultdict(float)
        self.beneath: dict[str, dict[str, Call]] = defaultdict(dict)
        self.callers: dict[str, list[Call]] = defaultdict(list)
        for call in graph.calls:
            self.calls[call.callee] += call.calls
            self.inclusive[call.callee] += call.inclusive
            self.beneath[call.caller][call.callee] = call
            self.callers[call.callee].append(call)
        self.calls[FRAMEWORK] = 1.0

    def price(self, callee: str) -> float:
        """Cost of one call with all beneath it."""
        return self.inclusive[callee] / self.calls[callee] if self.calls[callee] else 0.0


def _amount(name: str, before: _Sides, after: _Sides) -> float:
    """Cost per request that this function is to blame for."""
    times, times_before = after.calls[name], before.calls[name]
    if not times or not times_before:
        return 0.0  # new: its caller calls more
    amount = after.own.get(name, 0.0) / times - before.own.get(name, 0.0) / times_before
    for callee in before.beneath[name].keys() | after.beneath[name].keys():
        now, then = after.beneath[name].get(callee), before.beneath[name].get(callee)
        more = (now.calls if now else 0.0) / times - (then.calls if then else 0.0) / times_before
        amount += more * (before.price(callee) or after.price(callee))
    return amount * times


def _changed(name: str, amount: float, rise: float, before: _Sides, after: _Sides) -> Changed:
    callers = sorted(after.callers[name], key=lambda call: -call.inclusive)[:CALLERS_MAX]
    return Changed(
        name=name,
        blame=amount,
        share=amount / rise,
        calls_before=before.calls[name],
        calls_after=after.calls[name],
        inclusive_before=before.inclusive[name] or _total(before),
        inclusive_after=after.inclusive[name] or _total(after),
        callers=tuple(call.caller for call in callers),
    )


def _total(side: _Sides) -> float:
    return sum(side.own.values())
