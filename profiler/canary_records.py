"""What `canary` answers: plain records, the same for command and API."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["Canary", "CanaryEndpoint", "CanaryLimits", "CanaryMeasure", "CanaryVerdict"]

#: `waiting`: no look has found a regression yet, and not all looks are done
CanaryVerdict = Literal["pass", "regression", "waiting", "cannot tell"]


@dataclass(frozen=True, slots=True)
class CanaryLimits:
    """Rises that are accepted: of the cost and of memory as a share of the control's; of slow,
    failed and otherwise answered requests as a share of all requests (0.01: one of a hundred)."""

    cost: float = 0.05
    latency: float = 0.025
    errors: float = 0.01
    status: float = 0.02
    memory: float = 0.10


@dataclass(frozen=True, slots=True)
class CanaryMeasure:
    """One measure of one endpoint at the newest look (a regression: at the look that found it)."""

    #: empty for memory, which has no endpoint
    endpoint: str
    #: cost, latency (slower than the control's P95), errors, memory, or a status such as 404
    measure: str
    #: cpu_ns, instructions, bytes, or share
    unit: str
    control: float
    canary: float
    #: relative for cost and memory, points of share else, with the interval of this look
    rise: float
    low: float
    high: float
    limit: float
    #: one-sided: that the true rise is `limit` at most
    p_value: float
    verdict: CanaryVerdict
    #: one sentence for people
    reason: str
    requests_canary: int
    requests_control: int
    #: host or window
    unit_of_error: str


@dataclass(frozen=True, slots=True)
class CanaryEndpoint:
    """One endpoint as both releases answered it, warm-up included."""

    endpoint: str
    requests_canary: int
    requests_control: int
    error_rate_canary: float
    error_rate_control: float
    latency_ms_p50_canary: float
    latency_ms_p50_control: float
    latency_ms_p99_canary: float
    latency_ms_p99_control: float
    #: (status, share of the canary's requests, share of the control's)
    statuses: tuple[tuple[int, float, float], ...]


@dataclass(frozen=True, slots=True)
class Canary:
    """`release` against `control` at the same minutes."""

    release: str
    control: str
    service: str
    verdict: CanaryVerdict
    #: the finding in one sentence
    headline: str
    #: the canary's first request; 0: none yet
    started_ms: int
    #: how long it is to be watched, and has been, s
    for_s: float
    seen_s: float
    #: planned, and done
    looks: int
    look: int
    #: the error rate of the whole answer, and what this look may spend of it
    alpha: float
    level: float
    hosts_canary: int
    hosts_control: int
    #: requests of young workers, which are not compared in cost and latency
    warmup_requests: int
    measures: tuple[CanaryMeasure, ...]
    endpoints: tuple[CanaryEndpoint, ...]
    notes: tuple[str, ...] = ()
