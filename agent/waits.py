"""How much of what looked like CPU time at a line that waits was CPU time. Pure.

On CPU is for py-spy a thread whose state is R, which is also one whose wait has just ended and that
has no core yet. So a line that waits shows too often. How much too often all such lines together
show is known: the kernel counts what a worker's threads had of CPU. Which lines wait is seen in
windows that include idle threads, now and then: there they show more often than on CPU.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from agent.sampler import Window
from agent.schedstat import Scheduled
from agent.stacks import RawStack

__all__ = ["IDLE_AFTER", "IDLE_EVERY", "NOWHERE", "IdleTurns", "Place", "Waits", "place_of"]

#: Ticks after which what was seen counts only 1/e: half an hour and more of a worker's windows.
MEMORY_TICKS = 10_000
#: A line waits if threads are there so much more often than on CPU, and were so many times.
TIMES, SEEN_MIN = 2.0, 3.0
#: What is taken for true of a service of which nothing is known yet, and how many samples say so.
SHARE_AT_FIRST, SAMPLES_AT_FIRST = 0.5, 20.0
#: Windows from one with idle threads to the next, and to the first of a new release.
IDLE_EVERY, IDLE_AFTER = 16, 3
LINES_MAX = 5_000

Place = tuple[str, str, int]
NOWHERE: Mapping[Place, float] = MappingProxyType({})


def place_of(stack: RawStack) -> Place:
    """Where a stack is: function, file and line of its innermost frame."""
    last = stack.frames[-1]
    return last.name, last.file, last.line


@dataclass(slots=True)
class IdleTurns:
    """Which windows include idle threads: the IDLE_AFTER-th, also of a new release, and then every
    IDLE_EVERY-th."""

    _left: int = IDLE_AFTER
    _releases: frozenset[tuple[str, str]] = frozenset()

    def next(self, releases: Iterable[tuple[str, str]]) -> bool:
        """Whether the next window is one. `releases`: service and release of the live workers."""
        here = frozenset(releases)
        if here - self._releases:
            self._left = min(self._left, IDLE_AFTER)
        self._releases = here
        self._left -= 1
        if self._left > 0:
            return False
        self._left = IDLE_EVERY
        return True


@dataclass(slots=True)
class Waits:
    """What is known of one service."""

    _running: dict[Place, float] = field(default_factory=dict)
    _running_ticks: float = 0.0
    _all: dict[Place, float] = field(default_factory=dict)
    _all_ticks: float = 0.0
    #: samples that were seen beyond the CPU time
    _beyond: float = 0.0

    def learn_idle(self, window: Window) -> None:
        """A window that includes idle threads."""
        keep = _kept(window)
        self._all_ticks = keep * self._all_ticks + window.ticks
        self._all = _added(self._all, keep, window.stacks)

    def learn(self, window: Window, ran: Scheduled) -> None:
        """A window of running threads; `ran`: what its worker had of the CPU meanwhile.

        A worker that is preempted shows as running, too, but that much more often wherever it
        computes, which leaves the shares as they are: it is not held against lines that wait.
        """
        keep = _kept(window)
        self._running_ticks = keep * self._running_ticks + window.ticks
        self._running = _added(self._running, keep, window.stacks)
        seen = sum(one.samples for one in window.stacks) + window.errors
        per_ns = (window.ticks + window.errors) / ran.wall_ns
        beyond = seen - per_ns * (ran.cpu_ns + ran.preempted_ns)
        self._beyond = keep * self._beyond + beyond

    def waiting(self, place: Place) -> bool:
        """Whether threads wait at this line."""
        at_all, running = self._all.get(place, 0.0), self._running.get(place, 0.0)
        return at_all >= SEEN_MIN and (
            at_all * self._running_ticks > TIMES * running * self._all_ticks
        )

    @property
    def share(self) -> float:
        """Of the samples at lines that wait, how many are of CPU time: 0 to 1."""
        samples = sum(count for place, count in self._running.items() if self.waiting(place))
        on_cpu = samples - self._beyond + SAMPLES_AT_FIRST * SHARE_AT_FIRST
        return min(1.0, max(0.0, on_cpu / (samples + SAMPLES_AT_FIRST)))

    def shares(self, stacks: Iterable[RawStack]) -> dict[Place, float]:
        """Of the samples at each place where one of the stacks waits, how many are of CPU time."""
        share = self.share
        return {place: share for place in map(place_of, stacks) if self.waiting(place)}


def _kept(window: Window) -> float:
    return max(0.0, 1 - window.ticks / MEMORY_TICKS)


def _added(
    counts: dict[Place, float], keep: float, stacks: Iterable[RawStack]
) -> dict[Place, float]:
    """Older counts weigh less; the rarest go where there are too many."""
    sums = Counter[Place]()
    for stack in stacks:
        sums[place_of(stack)] += stack.samples
    found = {place: keep * count for place, count in counts.items() if keep * count > 0.05}
    for place, count in sums.items():
        found[place] = found.get(place, 0.0) + count
    if len(found) > LINES_MAX:
        found = dict(sorted(found.items(), key=lambda one: -one[1])[: LINES_MAX // 2])
    return found
