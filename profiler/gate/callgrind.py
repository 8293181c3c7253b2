"""Callgrind's dumps, as text."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from profiler.gate.records import Call, Function, Graph

__all__ = [
    "FRAMEWORK", "Dump", "graph_of", "label_of", "luck_of", "read_dump", "self_by_symbol",
]  # fmt: skip

FRAMEWORK = "(framework)"
_NAME = re.compile(r"\((\d+)\)(?: (.*))?")
#: They call others only where CPython's cache of the attributes of types has another entry in the
#: place, which hangs on the name's address: luck of the memory layout (typeobject.c, MCACHE_HASH).
_LOOKUPS = ("_PyType_Lookup", "_PyType_LookupRef")
#: glibc's and CPython's allocators: how long they look for room hangs on what is free where.
_ALLOCATORS = re.compile(
    r"(__libc_)?(malloc|free|realloc|calloc)$|_int_(malloc|free|realloc)|unlink_chunk|alloc_perturb"
    r"|malloc_consolidate|sysmalloc|_?Py(Object|Mem)_(Raw)?(Malloc|Free|Realloc|Calloc)"
    r"|_PyMem_Raw|allocate_from_new_pool|new_arena|insert_to_(used|free)pool"
)
_FRAME = re.compile(r"Zgate_([0-9a-f]{3})(?:'\d+)?$")


@dataclass(frozen=True, slots=True)
class Dump:
    """`own` instructions by symbol; `calls`: (from, to) -> (number, cost); `total` of all."""

    label: str
    total: int
    own: dict[str, int]
    calls: dict[tuple[str, str], tuple[int, int]]


def label_of(text: str) -> tuple[str, int]:
    """(label, instructions) of a dump, without the rest."""
    label = re.search(r"^desc: Trigger: Client Request: (.*)$", text, re.MULTILINE)
    total = re.search(r"^summary: (\d+)$", text, re.MULTILINE)
    if total is None:
        raise ValueError("no callgrind dump: it has no summary")
    return label[1] if label else "", int(total[1])


def read_dump(text: str) -> Dump:
    """One dump of `--dump-line=no` or not."""
    label, total = label_of(text)
    names: dict[str, str] = {}
    own: dict[str, int] = defaultdict(int)
    calls: dict[tuple[str, str], tuple[int, int]] = {}
    function = callee = ""
    number: int | None = None
    for line in text.splitlines():
        if line.startswith("fn="):
            function = _name(line[3:], names)
        elif line.startswith("cfn="):
            callee = _name(line[4:], names)
        elif line.startswith("calls="):
            number = int(line[6:].split()[0])
        elif line[:1] in "0123456789+-*" and line:
            cost = int(line.split()[-1]) if " " in line else 0
            if number is None:
                own[function] += cost
            else:
                before = calls.get((function, callee), (0, 0))
                calls[function, callee] = (before[0] + number, before[1] + cost)
                number = None
    return Dump(label, total, dict(own), calls)


def luck_of(dump: Dump) -> dict[str, tuple[int, int]]:
    """{kind: (calls, cost)} of what costs more or less by where objects lie, however often it is
    called: the allocators by themselves, and misses of the interpreter's cache of attributes."""
    ours = {name for name in dump.own if _ALLOCATORS.match(name)}
    asked = sum(
        number
        for (caller, callee), (number, _) in dump.calls.items()
        if callee in ours and caller not in ours
    )
    looked_up = sum(number for (_, callee), (number, _) in dump.calls.items() if callee in _LOOKUPS)
    missed = sum(cost for (caller, _), (_, cost) in dump.calls.items() if caller in _LOOKUPS)
    return {
        "memory": (asked, sum(dump.own[name] for name in ours)),
        "attributes": (looked_up, missed),
    }


def _name(text: str, names: dict[str, str]) -> str:
    found = _NAME.match(text)
    if found is None:
        return text
    if found[2]:
        names[found[1]] = found[2]
    return names.get(found[1], text)


def graph_of(dumps: Sequence[Dump], functions: Sequence[str], requests: int) -> Graph:
    """Mean of the dumps, per request; `Zgate_<n>` is functions[n], all else the framework."""
    divisor = len(dumps) * requests
    own: dict[str, float] = defaultdict(float)
    edges: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0.0])
    for dump in dumps:
        for symbol, cost in dump.own.items():
            own[_function(symbol, functions)] += cost / divisor
        for (caller, callee), (number, cost) in dump.calls.items():
            ends = _function(caller, functions), _function(callee, functions)
            if ends[0] != ends[1]:
                edges[ends][0] += number / divisor
                edges[ends][1] += cost / divisor
    return Graph(
        tuple(Function(name, cost) for name, cost in sorted(own.items())),
        tuple(
            Call(caller, callee, calls, inclusive)
            for (caller, callee), (calls, inclusive) in sorted(edges.items())
            if callee != FRAMEWORK
        ),
    )


def _function(symbol: str, functions: Sequence[str]) -> str:
    found = _FRAME.match(symbol)
    if found is None or int(found[1], 16) >= len(functions):
        return FRAMEWORK
    return functions[int(found[1], 16)]


def self_by_symbol(dumps: Iterable[Dump], requests: int) -> dict[str, float]:
    """Mean own instructions of each C function, per request; levels of recursion together."""
    all_dumps = list(dumps)
    sums: dict[str, float] = defaultdict(float)
    for dump in all_dumps:
        for symbol, cost in dump.own.items():
            sums[re.sub(r"'\d+$", "", symbol)] += cost / (len(all_dumps) * requests)
    return dict(sums)
