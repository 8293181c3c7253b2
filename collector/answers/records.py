"""What an answer carries. Every question returns one `Answer`; page, command and API show the same.

Times are UTC milliseconds since 1970. Costs are means per request, in the `unit` beside them.
"""

from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

__all__ = [
    "AlertState",
    "Answer",
    "Change",
    "Delivery",
    "EndpointRow",
    "HostRow",
    "LimitRow",
    "Profile",
    "ProfiledCaller",
    "ProfiledFunction",
    "SeriesPoint",
    "ServiceRow",
    "SloState",
    "SpanRow",
    "Trace",
    "Window",
    "WorkerRow",
]

Data = TypeVar("Data")


@dataclass(frozen=True, slots=True)
class Window:
    """Half open: from_ms <= time < to_ms."""

    from_ms: int
    to_ms: int

    @property
    def seconds(self) -> float:
        return (self.to_ms - self.from_ms) / 1000


@dataclass(frozen=True, slots=True)
class LimitRow:
    """A limit that was hit: how often, in the window asked for."""

    where: str
    what: str
    count: int


@dataclass(frozen=True, slots=True)
class Answer(Generic[Data]):
    """`truncated`: a limit left rows out. `as_of_ms`: the newest data in it."""

    data: Data
    unit: str = ""
    truncated: bool = False
    as_of_ms: int = 0
    limits: tuple[LimitRow, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class ServiceRow:
    """A service that sent data: its hosts, regions and releases (oldest first)."""

    service: str
    hosts: tuple[str, ...]
    regions: tuple[str, ...]
    releases: tuple[str, ...]
    last_ms: int


@dataclass(frozen=True, slots=True)
class EndpointRow:
    """One endpoint and cost unit in the window; sorted by cost share, dearest first."""

    endpoint: str
    kind: str
    cost_unit: str
    requests: int
    per_s: float
    cost: float
    task_clock_ns: float
    #: cost x traffic as a share of all endpoints of this unit, 0..1
    cost_share: float
    #: CPU cores in use by this endpoint: task clock per second of wall time
    cpu_cores: float
    error_rate: float
    errors: int
    killed: int
    wall_ms_mean: float
    latency_ms_p50: float
    latency_ms_p95: float
    latency_ms_p99: float
    db_ms: float
    cache_ms: float
    rpc_ms: float
    releases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SeriesPoint:
    """One endpoint (or all), one release, one step of time."""

    ts_ms: int
    release: str
    requests: int
    per_s: float
    cost: float
    cost_unit: str
    task_clock_ns: float
    error_rate: float
    latency_ms_p50: float
    latency_ms_p99: float
    db_ms: float
    cache_ms: float


@dataclass(frozen=True, slots=True)
class Change:
    """A deploy, flag or configuration change."""

    ts_ms: int
    service: str
    kind: str
    release: str
    previous: str
    commits: tuple[str, ...]
    changed_functions: tuple[str, ...]
    note: str


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """One worker as its agent finds it: what can be done with it, and why what cannot.

    `runtime`: its Python; `permission`: "yes" if its stacks may be read; `thread_ids`: right, wrong
    (waits would count as CPU) or unknown; `idle_s`: since its newest request, -1 without one;
    `profiled_ms`: when stacks were taken last, 0 for never. Metrics are the newest values by name.
    """

    pid: int
    worker: int
    release: str
    runtime: str
    cost_unit: str
    permission: str
    thread_ids: str
    idle_s: float
    profiled_ms: int
    reason: str
    last_ms: int
    metrics: dict[str, float]


@dataclass(frozen=True, slots=True)
class HostRow:
    """One host as its agent sees it. Metrics are the newest values by name."""

    service: str
    host: str
    region: str
    releases: tuple[str, ...]
    workers: int
    requests: int
    samples: int
    last_ms: int
    cost_unit: str
    metrics: dict[str, float]
    limits: tuple[LimitRow, ...]
    #: why workers do not count in instructions, each reason once; empty: they do, or none says
    cost_unit_reasons: tuple[str, ...] = ()
    #: the workers of its newest minutes, by number
    each_worker: tuple[WorkerRow, ...] = ()


@dataclass(frozen=True, slots=True)
class SloState:
    """One SLO at its newest evaluation. `state`: ok, burning, spent, no data."""

    slo: str
    endpoint: str
    objective: float
    #: share of good events in the SLO's window, 0..1; nan without data
    sli: float
    total: int
    bad: int
    #: share of the error budget left, 1 = untouched, below 0 = overspent
    budget_left: float
    burn_rate: float
    window_s: float
    state: str
    #: what counts as good, in words: "within 500 ms"
    good: str
    ts_ms: int
    #: whose requests were counted; empty before there were any
    service: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """An alert's newest notification at one receiver. `state`: delivered, failed, refused."""

    target: str
    state: str
    reason: str
    ts_ms: int


@dataclass(frozen=True, slots=True)
class AlertState:
    """One alert: its newest state and when it began and ended."""

    id: str
    rule: str
    #: firing, resolved
    state: str
    severity: str
    labels: dict[str, str]
    summary: str
    started_ms: int
    ended_ms: int
    delivered_ms: int
    payload: dict[str, Any]
    #: each receiver that was tried: what came of it last
    deliveries: tuple[Delivery, ...] = ()
    #: "until when: why" of the silence that holds it back, or empty
    silenced: str = ""
    #: "who: what is being done", or empty
    acknowledged: str = ""


@dataclass(frozen=True, slots=True)
class SpanRow:
    """One request of a trace, or one call in it. Names are plain text of foreign origin."""

    span_id: str
    #: empty: nothing known called it
    parent_id: str
    name: str
    #: request, task, db, cache, rpc
    kind: str
    service: str
    host: str
    release: str
    endpoint: str
    #: start, from the first span's
    offset_ns: int
    wall_ns: int
    #: HTTP status, 0: none
    status: int
    #: ok, error, killed, disconnected
    outcome: str


@dataclass(frozen=True, slots=True)
class Trace:
    """The kept spans of one trace, first to start first. `started_ms` 0: none were kept."""

    trace_id: str
    started_ms: int
    #: from the first start to the last end
    wall_ns: int
    spans: tuple[SpanRow, ...]


@dataclass(frozen=True, slots=True)
class ProfiledCaller:
    """A function as one other called it, per profiled request. `caller` "": nothing profiled."""

    caller: str
    calls: float
    cost_self: float
    cost_inclusive: float


@dataclass(frozen=True, slots=True)
class ProfiledFunction:
    """A function, per profiled request; its dearest callers first."""

    function: str
    calls: float
    cost_self: float
    cost_inclusive: float
    #: its own cost as a share of all functions' own costs, 0..1
    self_share: float
    callers: tuple[ProfiledCaller, ...]


@dataclass(frozen=True, slots=True)
class Profile:
    """The deep profile of an endpoint, dearest functions first. Costs are per request in `unit`."""

    service: str
    endpoint: str
    unit: str
    requests: int
    #: of all functions
    cost: float
    #: what the requests cost that were not profiled; nan where there are none
    counted_cost: float
    functions: tuple[ProfiledFunction, ...]
    releases: tuple[str, ...] = ()
    #: units of further profiled requests, which are left out
    other_units: tuple[str, ...] = ()
