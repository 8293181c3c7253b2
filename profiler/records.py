"""What the questions answer: plain records, the same for page, command and API.

All costs are per request. `unit` is one of COST_UNITS; functions are always in cpu_ns.
"""

from dataclasses import dataclass, field
from typing import Literal

__all__ = [
    "Comparison",
    "Deploy",
    "EndpointChange",
    "Evidence",
    "FlagCost",
    "FlameGraph",
    "FleetChange",
    "FunctionChange",
    "FunctionCost",
    "FunctionVerdict",
    "Interval",
    "PeakCost",
    "Verdict",
    "WarmUp",
]

Verdict = Literal["regression", "improvement", "no change", "cannot tell"]
#: `moved`: its cost rose or fell as much as another's of the same caller fell or rose
FunctionVerdict = Literal["regression", "improvement", "no change", "cannot tell", "moved"]


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its 95% confidence interval; low and high are nan where nothing is known."""

    value: float
    low: float
    high: float


UNKNOWN = Interval(float("nan"), float("nan"), float("nan"))


@dataclass(frozen=True, slots=True)
class EndpointChange:
    """One endpoint on both sides. Costs are means per request, in `unit`."""

    endpoint: str
    kind: str
    unit: str
    requests_a: int
    requests_b: int
    cost_a: float
    cost_b: float
    #: cost_b - cost_a, in `unit`
    difference: Interval
    #: the same as a share of cost_a: 0.25 is +25%
    relative: Interval
    p_value: float
    #: Benjamini-Hochberg over the endpoints compared
    p_corrected: float
    #: its part of the fleet's change by per-request cost, 0..1 (nan where nothing changed)
    fleet_share: float
    error_rate_a: float
    error_rate_b: float
    latency_ms_p99_a: float
    latency_ms_p99_b: float
    verdict: Verdict
    #: one sentence for people
    reason: str
    #: half width of `relative` by chance alone, before load and drift stretched it
    chance: float = float("nan")
    #: what cannot be told from the machine's own changes, whatever the interval says; relative
    floor: float = 0.0
    #: the relative change while both ran at the same minutes on different hosts; None: not told
    concurrent: Interval | None = None
    #: how long both sides, or what goes on of them, must go on at this rate until a change of 5%
    #: would be told; nan where it can be told now, inf where more time will not do
    minutes_more: float = float("nan")


@dataclass(frozen=True, slots=True)
class FunctionChange:
    """One function within one endpoint on both sides, in cpu_ns per request."""

    endpoint: str
    function: str
    origin: int
    self_ns_a: float
    self_ns_b: float
    inclusive_ns_a: float
    inclusive_ns_b: float
    #: rise of the cost that the function is answerable for: its self cost with that of the library
    #: and C code it calls (own code); the self cost (other code)
    difference: Interval
    p_value: float
    #: over the endpoint's functions that have samples of what is tested; nan for the others
    p_corrected: float
    #: `difference` as a share of the endpoint's rise in cpu_ns, 0..1 or beyond
    rise_share: float
    samples_a: int
    samples_b: int
    verdict: FunctionVerdict
    #: library functions beneath it whose self cost rose most: (function, rise in ns per request)
    beneath: tuple[tuple[str, float], ...] = ()
    #: rise of its own cost, and of its cost with all that it calls; p values corrected likewise
    self_difference: Interval = UNKNOWN
    self_p_corrected: float = float("nan")
    inclusive_difference: Interval = UNKNOWN
    inclusive_p_corrected: float = float("nan")
    #: its name on side a, where it was renamed or moved to another module
    was: str = ""
    #: the function that fell as much as this rose, or rose as much as this fell
    moved_with: str = ""
    #: why this one is guilty, where it is not by its own cost
    why: str = ""


@dataclass(frozen=True, slots=True)
class PeakCost:
    """The headline metric: cost per active user in each side's busiest whole minute."""

    minute_ms_a: int
    minute_ms_b: int
    users_a: int
    users_b: int
    #: in the unit of the FleetChange that carries it
    per_user_a: float
    per_user_b: float
    #: 0.1: 10% more
    relative: float


@dataclass(frozen=True, slots=True)
class FleetChange:
    """CPU of the fleet in `unit` per second: b - a = traffic + mix + mix_within + cost, exactly
    (Bennet)."""

    unit: str
    per_s_a: float
    per_s_b: float
    traffic: float
    #: by the shares of the endpoints
    mix: float
    #: by the cost per request of like requests
    cost: float
    #: by the shares of sorts of requests within endpoints: `within` says which sorts
    mix_within: float = 0.0
    #: what the sorts differ in: "kind, status, warm-up, flags"; empty where they are not known
    within: str = ""
    #: the whole change, and that by cost alone, in servers that are as busy as those of side a
    servers: float = float("nan")
    servers_by_cost: float = float("nan")
    #: of servers_by_cost, in the money of `server_cost_per_year`; nan where that is not set
    money_per_year: float = float("nan")
    peak: PeakCost | None = None


@dataclass(frozen=True, slots=True)
class Deploy:
    """The deploy that brought side b."""

    ts_ms: int
    release: str
    previous: str
    commits: tuple[str, ...]
    note: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """How much data a comparison rests on."""

    requests_a: int
    requests_b: int
    samples_a: int
    samples_b: int
    hosts: int
    windows: int
    window_s: float
    #: host or window
    unit_of_error: str
    #: requests set apart because their worker was young
    warmup_requests: int
    contended_share: float
    #: relative change of thread CPU time that all functions share: the machine's doing
    drift: float = 0.0
    #: CPU use of the hosts while the requests ran, percent; nan where it was not measured
    load_percent_a: float = float("nan")
    load_percent_b: float = float("nan")


@dataclass(frozen=True, slots=True)
class WarmUp:
    """Young workers' requests, compared with the other side's: like endpoints, weighted alike."""

    unit: str
    requests_a: int
    requests_b: int
    #: rise of the cost per young request
    difference: Interval
    restarts_a: int
    restarts_b: int
    #: what a restart costs more than as many warm requests, in `unit`
    per_restart_a: float
    per_restart_b: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """`b` against `a`, in the order in which people ask: fleet, endpoints, functions, how sure."""

    a: str
    b: str
    service: str
    verdict: Verdict
    #: the finding in one sentence
    headline: str
    fleet: tuple[FleetChange, ...]
    endpoints: tuple[EndpointChange, ...]
    functions: tuple[FunctionChange, ...]
    #: the function to look at first: of the endpoint that rose most; None where nothing rose
    guilty: FunctionChange | None
    deploy: Deploy | None
    evidence: Evidence
    notes: tuple[str, ...] = field(default=())
    warm_up: tuple[WarmUp, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class FlagCost:
    """A flag value against the flag's control value; endpoints weighted alike on both arms."""

    flag: str
    value: str
    control: str
    unit: str
    requests: int
    control_requests: int
    #: users known by their hash; one who met both arms counts in both
    users: int
    control_users: int
    #: per request
    cost: float
    control_cost: float
    difference: Interval
    relative: Interval
    p_value: float
    #: Benjamini-Hochberg over all flag values
    p_corrected: float
    #: what this value costs the fleet now, and if all requests had it; `unit` per second
    fleet_per_s: float
    rollout_per_s: float
    verdict: Verdict
    #: endpoints that make most of the difference: (endpoint, rise per request)
    endpoints: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class FunctionCost:
    """A function's cost on one side, in cpu_ns per request of the endpoint."""

    function: str
    origin: int
    self_share: float
    inclusive_share: float
    self_ns: float
    inclusive_ns: float
    samples: int


@dataclass(frozen=True, slots=True)
class FlameGraph:
    """A call tree as columns; node 0 is the root, `parent[i] < i`, the root's parent is -1.

    `share_a`, `share_b`: inclusive shares of all samples of each side, 0..1. One-sided graphs have
    `share_b` empty. `pruned_share`: share of side a (or b, the larger) in nodes left out.
    """

    name: tuple[str, ...]
    parent: tuple[int, ...]
    origin: tuple[int, ...]
    share_a: tuple[float, ...]
    share_b: tuple[float, ...]
    samples_a: int
    samples_b: int
    pruned_share: float
    #: of a difference, per node: 0 on both sides, 1 new on side b, 2 vanished from it
    mark: tuple[int, ...] = ()
    #: seconds of CPU that each side's samples stand for
    cpu_s_a: float = 0.0
    cpu_s_b: float = 0.0
