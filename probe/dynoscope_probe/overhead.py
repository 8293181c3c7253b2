"""What cProfile itself costs per call, measured in the process in which it will run.

Each call that a profiler sees reads the timer twice. What the profiler does between the two reads
is counted to the function that was called (`inside`), the rest to the function that called it
(`around`); both differ between Python functions, generators (a call each time one goes on), C
functions and C methods. While a profiler is on, CPython 3.11 also runs its bytecode unspecialised
(`slowdown`).

Machines change their pace within tenths of a second: the loops take turns in short rounds, so that
all meet the same pace, and rounds from before and after a profile stand for what is between.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import repeat
from math import exp, inf, log, log2
from opcode import opmap
from types import CodeType, FunctionType
from typing import Any, Callable, Iterator, Sequence, Union

__all__ = [
    "BUILTIN",
    "GENERATOR",
    "METHOD",
    "PYTHON",
    "Overhead",
    "Readings",
    "Timer",
    "kind_of",
    "overhead_of",
    "readings_of",
]

PYTHON, GENERATOR, BUILTIN, METHOD = range(4)
CALLS = 250
ROUNDS = 8
DISTINCT = 8
#: So many times more than the measured loops may an instruction lose.
MARGIN = 4
_BACKWARD = frozenset(
    number
    for name, number in opmap.items()
    if name.startswith(("JUMP_BACKWARD", "JUMP_ABSOLUTE")) or "_BACKWARD_" in name
)
_CO_GENERATORS = 0x20 | 0x80 | 0x200  # generator, coroutine, asynchronous generator

#: Returns nanoseconds or instructions of the calling thread.
Timer = Callable[[], int]
#: Loop -> rounds of (without a profiler, its own under one, that of all that it calls).
Readings = dict[str, list[tuple[float, float, float]]]


@dataclass(frozen=True)
class Overhead:
    """Per call and kind (PYTHON, GENERATOR, BUILTIN, METHOD), in the timer's unit.

    `inside_per_bit`, `around_per_bit`: more of each for every bit of entropy of the calls, since
    the profiler finds a call's counts in self-adjusting trees. `slowdown`: how many times longer
    plain bytecode takes while a profiler is on; at least 1. `per_instruction`: by how much one
    instruction of it may take longer, at most.
    """

    inside: tuple[float, ...]
    around: tuple[float, ...]
    inside_per_bit: float
    around_per_bit: float
    slowdown: float
    per_instruction: float = inf

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
            self.per_instruction,
        )

    def without_slowdown(self, code: Union[CodeType, str], calls: int, cost: float) -> float:
        """What so many calls of a Python function cost by themselves without a profiler.

        One that has no loop cannot have lost more than its instructions may: the rest of what it
        cost is work of C that no profiler sees, and has not become slower.
        """
        if isinstance(code, str):
            return cost
        slower = cost - cost / self.slowdown
        if slower and not _may_loop(code):
            slower = min(slower, calls * _length(code) * self.per_instruction)
        return cost - slower


def kind_of(code: Union[CodeType, str]) -> int:
    """Kind of a function as cProfile names it: a code object, or a C function's description."""
    if isinstance(code, str):
        return METHOD if code.startswith("<method ") else BUILTIN
    return GENERATOR if code.co_flags & _CO_GENERATORS else PYTHON


def _may_loop(code: CodeType) -> bool:
    return not _BACKWARD.isdisjoint(code.co_code[::2])


def _length(code: CodeType) -> int:
    """In units of instructions, their caches among them."""
    return len(code.co_code) // 2


def overhead_of(*readings: Readings) -> Overhead:
    """The overhead that rounds tell, whenever they were made.

    A call of the loops, taken by itself, must come out at what it costs without a profiler: half
    of that is the callee's, half the caller's, at the pace that bytecode has under a profiler.
    """
    bare, own, callees = {}, {}, {}
    for loop in _LOOPS:
        rounds = [costs for one in readings for costs in one[loop.__name__]]
        bare[loop], own[loop], callees[loop] = (
            _centre([costs[n] for costs in rounds]) / CALLS for n in range(3)
        )
    slowdown = _middle_of([own[loop] / bare[loop] for loop in _PLAIN_LOOPS if bare[loop] > 0])
    inside, around = [], []
    for kind, loop in enumerate(_CALL_LOOPS):
        honest = max(0.0, bare[loop] - bare[_empty_loop]) / 2
        in_callee = honest if kind in (BUILTIN, METHOD) else honest * slowdown
        inside.append(max(0.0, callees[loop] - in_callee))
        around.append(max(0.0, own[loop] - own[_empty_loop] - honest * slowdown))
    bits = log2(DISTINCT)
    return Overhead(
        tuple(inside[:4]),
        tuple(around[:4]),
        max(0.0, inside[4] - inside[PYTHON]) / bits,
        max(0.0, around[4] - around[PYTHON]) / bits,
        slowdown,
        MARGIN * max((own[loop] - bare[loop]) / _length(loop.__code__) for loop in _PLAIN_LOOPS),
    )


def readings_of(timer: Timer, rounds: int = ROUNDS) -> Readings:
    """Run all loops in turn, without a profiler and with one (some milliseconds); none may be on.

    The costs of `CALLS` calls, in the timer's unit.
    """
    readings: Readings = {loop.__name__: [] for loop in _LOOPS}
    for number in range(-1, rounds):
        for loop in _LOOPS:
            costs = (_bare(timer, loop), *_profiled(timer, loop))
            if number >= 0:  # in the first round all is new to the interpreter
                readings[loop.__name__].append(costs)
    return readings


def _bare(timer: Timer, loop: Callable[[int], None]) -> float:
    before = timer()
    loop(CALLS)
    return timer() - before


def _profiled(timer: Timer, loop: Callable[[int], None]) -> tuple[float, float]:
    """(own cost of a loop, own cost of all that it calls) under a profiler."""
    import cProfile  # only where a profile is made: profiled.py looks who imported it first

    profiler: Any = cProfile.Profile(timer, 1.0)
    profiler.enable()
    loop(CALLS)
    profiler.disable()
    code = getattr(loop, "__code__", None)
    entry = next(entry for entry in profiler.getstats() if entry.code is code)
    return entry.inlinetime, sum(sub.inlinetime for sub in entry.calls or ())


def _centre(costs: Sequence[float]) -> float:
    """Mean of the middle half: of a few dozen short rounds some meet an interruption, which would
    count for every call of a profile."""
    ranked, quarter = sorted(costs), len(costs) // 4
    middle = ranked[quarter : len(ranked) - quarter]
    return sum(middle) / len(middle)


def _middle_of(ratios: Sequence[float]) -> float:
    """Geometric mean of what is at least 1."""
    return exp(sum(log(max(1.0, ratio)) for ratio in ratios) / (len(ratios) or 1))


def _next(number: int) -> int:
    return number + 1


def _yield_numbers(times: int) -> Iterator[int]:
    for number in range(1000, 1000 + times):  # smaller ones need not be made
        yield number


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


def _yield_from(times: int) -> Iterator[None]:
    yield from repeat(None, times)


def _generator_loop(times: int) -> None:
    """Half of them go on by themselves, half by what they wait for, as coroutines do."""
    for _ in _yield_numbers(times // 2):
        pass
    for _ in _yield_from(times - times // 2):
        pass


def _builtin_loop(times: int) -> None:
    number = 1
    for _ in repeat(None, times):
        abs(number)


def _method_loop(times: int) -> None:
    """Not of list.append, which has bytecode of its own where no profiler is on."""
    table = {1: 2}
    for _ in repeat(None, times):
        table.get(1)


class _Item:
    def __init__(self) -> None:
        self.value = 3


def _number_loop(times: int) -> None:
    total = 0
    for number in range(times):
        total += number * 3 & 7
        if total > 100:
            total -= 99


def _container_loop(times: int) -> None:
    item, table, items = _Item(), {"a": 1}, [0, 1, 2, 3]
    for number in range(times):
        items[number & 3] = item.value + table["a"]
        table["b"] = number


def _text_loop(times: int) -> None:
    table = {"a": 1}
    for number in range(times):
        if f"{number}-{times}" in table:
            break


_CALL_LOOPS = (_function_loop, _generator_loop, _builtin_loop, _method_loop, _functions_loop)
#: Bytecode of several kinds: some loses much without specialisation, some little.
_PLAIN_LOOPS = (_number_loop, _container_loop, _text_loop)
_LOOPS = (_empty_loop, *_CALL_LOOPS, *_PLAIN_LOOPS)
