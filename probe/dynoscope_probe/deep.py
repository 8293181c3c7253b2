"""Which requests are profiled: one in N, or some of one endpoint, as the agent wishes.

A chosen request gets a frame that turns cProfile on and off around the application's code
(profiled.py). What asking costs every other request is one comparison of eight bytes.
"""

from __future__ import annotations

import itertools
from binascii import crc32
from math import log
from time import time
from typing import TYPE_CHECKING, Any, Callable, NamedTuple, Optional

from dynoscope_probe import guard, layout
from dynoscope_probe.naming import Names

if TYPE_CHECKING:
    from dynoscope_probe.overhead import Overhead
    from dynoscope_probe.ring import Ring

__all__ = ["Deep", "Wish", "checked_wish"]

_NEVER = 1 << 62


class Wish(NamedTuple):
    """What the agent asks this worker for; fields of `layout.CONTROL_FIELDS` after the checksum."""

    number: int
    endpoint_id: int
    requests: int
    expires_s: int


def checked_wish(words: bytes) -> Optional[Wish]:
    """The wish in the control words; None where they are anything else."""
    crc, *fields = layout.CONTROL.unpack(words)
    wish = Wish(*fields)
    right = crc32(words[4:]) == crc and 0 < wish.requests <= layout.WISH_REQUESTS_MAX
    return wish if right and wish.endpoint_id else None


class Deep:
    """The choice of one process. A request is to call `begin` where control[0] is not `seen`, or
    its number has reached `due`."""

    def __init__(self, ring: Ring, rate: float, random_bits: Callable[[int], int]) -> None:
        self.ring = ring
        self.control = ring.control
        self.names = Names(ring.sys_path.split("\n"))
        #: Unit -> (when it was measured, perf_counter_ns; what the profiler costs).
        self.overheads: dict[int, tuple[int, Overhead]] = {}
        self.seen = 0
        #: Whether all requests are profiled: their numbers may come in any order then.
        self._always = rate >= 1
        self._rate = rate
        self._random_bits = random_bits
        self._next_sample = self._gap()
        self._wish: Optional[Wish] = None
        self._take = itertools.count().__next__
        self._given_up = False
        self.due = 0
        self._plan()

    def begin(self, request: Any) -> None:
        """Give the request a profile and its frame if it is chosen. Never raises."""
        try:
            if self.control[0] != self.seen:
                self._read_wish()
            if not self._given_up and self._chosen(request):
                from dynoscope_probe.profiled import Profile  # cProfile, only where it is used

                request.deep = Profile(self, request)
                request.frame = request.deep.frame(request.frame.__name__)
        except Exception:
            guard.swallowed()

    def renamed(self, request: Any) -> None:
        """The request has another endpoint and frame: profile what runs in that one."""
        try:
            if request.deep is not None:
                request.frame = request.deep.frame(request.frame.__name__)
            elif self._wish is not None:
                self.begin(request)
        except Exception:
            guard.swallowed()

    def give_up(self) -> None:
        """Another profiler is at home in this process: it wins, for good."""
        self._given_up = True
        self._wish = None
        self.due = _NEVER

    def _chosen(self, request: Any) -> bool:
        if self._always:
            return True
        if request.number >= self._next_sample:
            self._next_sample = request.number + self._gap()
            self._plan()
            return True
        wish = self._wish
        if wish is None:
            return False
        if time() > wish.expires_s:
            self._wish = None
            self._plan()
            return False
        if request.endpoint_id != wish.endpoint_id:
            return False
        if self._take() < wish.requests:
            return True
        self._wish = None
        self._plan()
        return False

    def _read_wish(self) -> None:
        """Take in the control words; the same head is not looked at twice."""
        self.seen = self.control[0]
        if self.seen == 0:
            return
        wish = checked_wish(self.ring.control_words())
        if wish is None:
            self.ring.count("wishes_refused")
            return
        self._wish = wish
        self._take = itertools.count().__next__
        self._plan()

    def _plan(self) -> None:
        """While there is a wish, every request is looked at."""
        looked_at = self._always or self._wish is not None
        self.due = 0 if looked_at else self._next_sample

    def _gap(self) -> int:
        """Requests from one sampled one to the next: as if each was drawn at the rate."""
        if not 0 < self._rate < 1:
            return _NEVER
        share = (self._random_bits(53) + 1) / (1 << 53)
        return 1 + min(_NEVER >> 1, int(log(share) / log(1 - self._rate)))
