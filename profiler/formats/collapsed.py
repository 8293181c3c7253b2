"""Collapsed stacks, as flamegraph.pl reads them: `root;caller;function 12`, a line a stack.

https://github.com/brendangregg/FlameGraph#2-fold-stacks
"""

from collections.abc import Iterable

from profiler.formats.weighted import FormatError, WeightedStack

__all__ = ["collapsed", "parse_collapsed"]


def collapsed(stacks: Iterable[WeightedStack]) -> str:
    """A semicolon in a name would part it: it becomes a comma."""
    lines = (
        ";".join(" ".join(frame.replace(";", ",").split()) for frame in stack.frames)
        + f" {stack.samples}"
        for stack in stacks
    )
    return "".join(f"{line}\n" for line in lines)


def parse_collapsed(text: str) -> list[WeightedStack]:
    """Raises FormatError with the number of the line that is none."""
    stacks = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        frames, space, count = line.rstrip().rpartition(" ")
        if not space or not count.isdigit() or not frames:
            raise FormatError(f"line {number} is no collapsed stack: write root;function COUNT")
        stacks.append(WeightedStack(tuple(frames.split(";")), int(count)))
    return stacks
