"""Keeps py-spy and the agent within a share of one core. Pure: the clocks are parameters.

A bucket, empty at the start, fills with AIM of `share` seconds of CPU a second, up to `burst_s`
seconds' worth, and every CPU second that agent and py-spy used is taken out of it. Time in which
the agent was stopped, or its host asleep, fills nothing. What a profile costs (its start, and each
tick) is learnt from what the profiles before it cost.
"""

import math
from dataclasses import dataclass

__all__ = ["AIM", "Budget", "Plan"]

RATE_HZ_MIN = 5
#: Below the share: a profile may cost more than the ones before it.
AIM = 0.9
#: On a busy host a loop comes back later than it meant to: by a quarter, or so many seconds.
LATE_SHARE, LATE_S = 0.25, 1.0
_LEARN = 0.3


@dataclass(frozen=True, slots=True)
class Plan:
    """How many workers to profile and how often a second; workers 0: skip this window."""

    workers: int
    rate_hz: int


@dataclass(slots=True)
class Budget:
    """`share` of one core (0.01 is 1%); the bucket may be overdrawn and is then waited out."""

    share: float
    burst_s: float = 40.0
    start_cpu_s: float = 0.05
    tick_cpu_s: float = 0.0006
    _bucket_s: float = 0.0
    _wall_s: float = -1.0
    _cpu_s: float = 0.0
    _used: float = 0.0

    def account(self, wall_s: float, cpu_s: float, meant_s: float = math.inf) -> None:
        """Take note of the clocks: wall, and CPU of the agent with its children, since any start.

        `meant_s`: how long after the last call this one was to come; the agent did not run in what
        is beyond that. The first call is the start: the CPU before it (imports) is not counted.
        """
        if self._wall_s >= 0:
            longest = meant_s + max(LATE_S, LATE_SHARE * meant_s)
            passed, used = min(wall_s - self._wall_s, longest), cpu_s - self._cpu_s
            self._bucket_s += AIM * self.share * passed - used
            self._bucket_s = min(self._bucket_s, self.share * self.burst_s)
            weight = min(1.0, passed / self.burst_s)
            if passed > 0:
                self._used += weight * (used / passed - self._used)
        self._wall_s, self._cpu_s = wall_s, cpu_s

    @property
    def used_share(self) -> float:
        """Share of one core used, averaged over about `burst_s` seconds."""
        return self._used

    def plan(self, workers: int, duration_s: int, rate_hz: int) -> Plan:
        """As many workers as the bucket pays for, else none.

        One at a lower rate where the bucket could never pay for more: a profile's start costs the
        same for few ticks, so it is better to wait for the full rate.
        """
        each = self.start_cpu_s + self.tick_cpu_s * duration_s * rate_hz
        paid = max(0, min(workers, int(self._bucket_s / each)))
        if paid > 0 or workers == 0 or each <= self.share * self.burst_s:
            return Plan(paid, rate_hz)
        lower = int((self._bucket_s - self.start_cpu_s) / (self.tick_cpu_s * duration_s))
        return Plan(1, lower) if lower >= min(rate_hz, RATE_HZ_MIN) else Plan(0, rate_hz)

    def learn(self, workers: int, ticks: int, children_cpu_s: float) -> None:
        """What `workers` profiles of `ticks` ticks in all cost: scales both estimates."""
        expected = workers * self.start_cpu_s + ticks * self.tick_cpu_s
        if expected <= 0:
            return
        scale = 1 + _LEARN * (children_cpu_s / expected - 1)
        self.start_cpu_s *= scale
        self.tick_cpu_s *= scale
