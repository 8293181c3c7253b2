"""Which lines of own code were on the CPU: weights per line travel beside the stacks. Pure.

A stack's identity has no lines, so that it survives edits above; lines are kept by function.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from agent.requests import Identity
from agent.stacks import OWN, Modules, RawStack
from profiler.vocabulary import ENDPOINT_FILE

__all__ = ["Line", "LineCount", "line_counts", "line_rows", "less", "plus"]

FILE_CHARACTERS_MAX = 1_024


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a function of own code, as an endpoint of a release runs it."""

    who: Identity
    release: str
    endpoint: str
    function: str
    #: whole path in the worker's file system
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class LineCount:
    """Samples in which the function was at this line; those in which it called nothing there."""

    samples: int
    self_samples: int
    weight_s: float


def line_counts(
    stacks: Iterable[RawStack],
    modules: Modules,
    who: Identity,
    release: str,
    weight_s: float,
) -> dict[Line, LineCount]:
    """Counts of the lines in one worker's window; each sample stands for `weight_s`.

    A function counts once a sample, at its innermost call, so its lines add up to its samples.
    """
    found: dict[Line, LineCount] = {}
    for stack in stacks:
        endpoint, places = "", {}
        for frame in stack.frames:
            if frame.file == ENDPOINT_FILE:
                endpoint = frame.name
                continue
            module, origin = modules.of(frame.file)
            if origin == OWN:
                places[f"{module}:{frame.name}"] = frame
        last = stack.frames[-1]
        for function, frame in places.items():
            file = frame.file[:FILE_CHARACTERS_MAX]
            line = Line(who, release, endpoint, function, file, frame.line)
            own = stack.samples if frame is last else 0
            one = LineCount(stack.samples, own, weight_s * stack.samples)
            found[line] = plus(found.get(line), one)
    return found


def plus(a: LineCount | None, b: LineCount) -> LineCount:
    """Both together."""
    if a is None:
        return b
    return LineCount(
        a.samples + b.samples, a.self_samples + b.self_samples, a.weight_s + b.weight_s
    )


def less(a: LineCount, b: LineCount) -> LineCount | None:
    """What is left of `a` without `b`, which is a part of it; None where nothing is."""
    samples = a.samples - b.samples
    if samples <= 0:
        return None
    return LineCount(samples, a.self_samples - b.self_samples, a.weight_s - b.weight_s)


def line_rows(lines: Mapping[Line, LineCount], now_ms: int) -> list[dict[str, Any]]:
    """Rows of `line_samples`."""
    return [
        {
            "ts_ms": now_ms,
            **line.who.columns,
            "release": line.release,
            "endpoint": line.endpoint,
            "function": line.function,
            "file": line.file,
            "line": line.line,
            "samples": count.samples,
            "self_samples": count.self_samples,
            "weight_s": count.weight_s,
        }
        for line, count in lines.items()
    ]
