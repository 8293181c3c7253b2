"""What stacks can be turned into before they are merged: functions from stack to stack.

Each returns the stack to use, or None for one that does not belong to the picture. They compose in
a list (`processed`); the weight stays with the stack.
"""

from collections.abc import Callable, Sequence

from profiler.calltree import OWN, Stack
from profiler.vocabulary import ORIGINS

__all__ = [
    "FOLDS",
    "Processor",
    "callees_of",
    "callers_of",
    "clip",
    "collapse_recursion",
    "group_libraries",
    "hide",
    "only_own",
    "processed",
]

Processor = Callable[[Stack], Stack | None]


def processed(stacks: Sequence[Stack], steps: Sequence[Processor]) -> list[Stack | None]:
    """Each stack through all steps in order; None stays None."""
    found: list[Stack | None] = []
    for stack in stacks:
        done: Stack | None = stack
        for step in steps:
            done = step(done) if done is not None else None
        found.append(done)
    return found


def callers_of(function: str) -> Processor:
    """Upside down from its deepest call: who called it, nearest caller first."""

    def invert(stack: Stack) -> Stack | None:
        if function not in stack.frames:
            return None
        last = len(stack.frames) - 1 - stack.frames[::-1].index(function)
        return Stack(stack.frames[last::-1], stack.origins[last::-1])

    return invert


def callees_of(function: str) -> Processor:
    """From its first call down: what it called."""

    def below(stack: Stack) -> Stack | None:
        if function not in stack.frames:
            return None
        first = stack.frames.index(function)
        return Stack(stack.frames[first:], stack.origins[first:])

    return below


def clip(depth: int) -> Processor:
    """The first `depth` frames; what is deeper counts to the last of them."""
    return lambda stack: Stack(stack.frames[:depth], stack.origins[:depth])


def hide(text: str) -> Processor:
    """Without frames whose name contains `text`; their cost counts to who called them."""
    return lambda stack: _kept(stack, [text not in frame for frame in stack.frames])


def collapse_recursion(stack: Stack) -> Stack:
    """A function that is in the stack already is not entered again: a -> b -> a -> c is a -> c."""
    frames: list[str] = []
    origins: list[int] = []
    for frame, origin in zip(stack.frames, stack.origins, strict=True):
        if frame in frames:
            at = frames.index(frame)
            del frames[at:], origins[at:]
        frames.append(frame)
        origins.append(origin)
    return Stack(tuple(frames), tuple(origins))


def group_libraries(stack: Stack) -> Stack:
    """Neighbouring frames of one package become one frame, `[django]`; own code stays as it is."""
    frames: list[str] = []
    origins: list[int] = []
    for frame, origin in zip(stack.frames, stack.origins, strict=True):
        name = frame if origin == OWN or frame[:1] == "[" else f"[{_package(frame, origin)}]"
        if origin != OWN and frames and frames[-1] == name:
            continue
        frames.append(name)
        origins.append(origin)
    return Stack(tuple(frames), tuple(origins))


def only_own(stack: Stack) -> Stack:
    """Own code only; libraries count to the own code that called them."""
    return _kept(stack, [origin == OWN for origin in stack.origins])


#: What the API calls them.
FOLDS: dict[str, Processor] = {
    "libraries": group_libraries,
    "own": only_own,
    "recursion": collapse_recursion,
}


def _package(frame: str, origin: int) -> str:
    if ORIGINS[origin] != "package":
        return {"stdlib": "standard library"}.get(ORIGINS[origin], ORIGINS[origin])
    return frame.partition(":")[0].partition(".")[0] or ORIGINS[origin]


def _kept(stack: Stack, keep: Sequence[bool]) -> Stack:
    return Stack(
        tuple(frame for frame, stays in zip(stack.frames, keep, strict=True) if stays),
        tuple(origin for origin, stays in zip(stack.origins, keep, strict=True) if stays),
    )
