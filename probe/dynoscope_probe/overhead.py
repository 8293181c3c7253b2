"""What cProfile itself costs per call, measured in the process in which it will run.

Each call that a profiler sees reads the timer twice. What the profiler does between the two reads
is counted to the function that was called (`inside`), the rest to the function that called it
(`around`); both differ between Python functions, generators, C functions and C methods. While a
profiler is on, CPython 3.11 also runs its bytecode unspecialised (`slowdown`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import repeat
from math import log2
from types import CodeType, FunctionType
from typing import Any, Callable, Iterator, Sequence, Union

__all__ = ["BUILTIN", "GENERATOR", "METHOD", "PYTHON", "Overhead", "Timer", "kind_of", "measured"]

PYTHON, GENERATOR, BUILTIN, METHOD = range(4)
CALLS = 1500
ROUNDS = 4
#: A round counts as at most so many times the middle one.
ROUND_MAX = 2
DISTINCT = 8
_CO_GENERATORS = 0x20 | 0x80 | 0x200  # generator, coroutine, asynchronous generator

#: Returns nanoseconds or instructions of the calling thread.
Timer = Callable[[], int]


@dataclass(frozen=True)
class Overhead:
    """Per call and kind (PYTHON, GENERATOR, BUILTIN, METHOD), in the timer's unit.

    `inside_per_bit`, `around_per_bit`: more of each for every bit of entropy of the calls, since
    the profiler finds a call's counts in self-adjusting trees. `slowdown`: how many times longer
    plain bytecode takes while a profiler is on; at least 1.
    """

    inside: tuple[float, ...]
    around: tuple[float, ...]
    inside_per_bit: float
    around_per_bit: float
    slowdown: float

    def among(self, calls: Sequence[int]) -> Overhead:
        """The overhead where functions are called so often each, in any order."""
        total = sum(calls) or 1
        bits = -sum(count / total * log2(count / total) for count in calls if count)
        return Overhead(
            tuple(one + bits * self.inside_per_bit for one in self.inside),
            tuple(one + bits * self.around_per_bit for one in self.around),
            0.0,
            0.0,
            self.slowdown,
        )


def kind_of(code: Union[CodeType, str]) -> int:
    """Kind of a function as cProfile names it: a code object, or a C function's description."""
    if isinstance(code, str):
        return METHOD if code.startswith("<method ") else BUILTIN
    return GENERATOR if code.co_flags & _CO_GENERATORS else PYTHON


def measured(timer: Timer, calls: int = CALLS, rounds: int = ROUNDS) -> Overhead:
    """Measure it (some milliseconds); no profiler may be on. The mean of `rounds` counts."""
    bare_empty = _bare(timer, _empty_loop, calls, rounds)
    empty, _ = _profiled(timer, _empty_loop, calls, rounds)
    inside, around = [], []
    for loop in (_function_loop, _generator_loop, _builtin_loop, _method_loop, _functions_loop):
        # What the call costs without a profiler belongs to both, half each.
        honest = (_bare(timer, loop, calls, rounds) - bare_empty) / 2
        own, callees = _profiled(timer, loop, calls, rounds)
        inside.append(max(0.0, callees - honest) / calls)
        around.append(max(0.0, own - empty - honest) / calls)
    bits = log2(DISTINCT)
    return Overhead(
        tuple(inside[:4]),
        tuple(around[:4]),
        max(0.0, inside[4] - inside[PYTHON]) / bits,
        max(0.0, around[4] - around[PYTHON]) / bits,
        _slowdown(timer, calls, rounds),
    )


def _slowdown(timer: Timer, calls: int, rounds: int) -> float:
    bare = _bare(timer, _plain_loop, calls, rounds)
    profiled, _ = _profiled(timer, _plain_loop, calls, rounds)
    return max(1.0, profiled / bare) if bare > 0 else 1.0


def _bare(timer: Timer, loop: Callable[[int], None], calls: int, rounds: int) -> float:
    """Cost of a loop without a profiler."""
    costs = []
    for _ in range(rounds):
        before = timer()
        loop(calls)
        costs.append(timer() - before)
    return _centre(costs)


def _profiled(
    timer: Timer, loop: Callable[[int], None], calls: int, rounds: int
) -> tuple[float, float]:
    """(own cost of a loop, own cost of all that it calls) under a profiler."""
    import cProfile  # only where a profile is made: profiled.py looks who imported it first

    own, callees = [], []
    for _ in range(rounds):
        profiler: Any = cProfile.Profile(timer, 1.0)
        profiler.enable()
        loop(calls)
        profiler.disable()
        for entry in profiler.getstats():
            if entry.code is getattr(loop, "__code__", None):
                own.append(entry.inlinetime)
                callees.append(sum(sub.inlinetime for sub in entry.calls or ()))
    return _centre(own), _centre(callees)


def _centre(costs: Sequence[float]) -> float:
    """What a profile holds is a sum: the few calls that take long, since caches went cold or the
    host had the processor, count in it, so the middle round would be too little. One long
    interruption must not go for every profile, though."""
    middle = sorted(costs)[len(costs) // 2]
    return sum(min(cost, ROUND_MAX * middle) for cost in costs) / len(costs)


def _next(number: int) -> int:
    return number + 1


def _yield_nothing(times: int) -> Iterator[None]:
    for _ in repeat(None, times):
        yield


def _empty_loop(times: int) -> None:
    for _ in repeat(None, times):
        pass


def _function_loop(times: int) -> None:
    number = 0
    for following in [_next] * times:
        number = following(number)


def _functions_loop(times: int) -> None:
    number = 0
    for following in _distinct() * (times // DISTINCT):
        number = following(number)


@lru_cache(maxsize=1)
def _distinct() -> list[Callable[[int], int]]:
    """Functions that a profiler tells apart."""
    return [
        FunctionType(_next.__code__.replace(co_name="_next%d" % number), {})
        for number in range(DISTINCT)
    ]


def _generator_loop(times: int) -> None:
    for _ in _yield_nothing(times):
        pass


def _builtin_loop(times: int) -> None:
    number = 1
    for _ in repeat(None, times):
        abs(number)


def _method_loop(times: int) -> None:
    items: list[None] = []
    for nothing in repeat(None, times):
        items.append(nothing)


class _Item:
    def __init__(self) -> None:
        self.value = 3


def _plain_loop(times: int) -> None:
    """A mixture of bytecode: some loses much without specialisation, some little."""
    item, table, total = _Item(), {"a": 1}, 0
    for number in range(times):
        total += number & 7
        pair = item.value, table["a"]
        table["b"] = total
        if f"{number}-{total}" in table:
            total = pair[0]
