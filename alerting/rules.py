"""What a rule is. How a file becomes rules: `rule_files.py`, `openslo.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from alerting.burn import Tier, scaled

__all__ = [
    "CostRule",
    "Good",
    "GoodKind",
    "HeadlineRule",
    "MetricPart",
    "MetricSli",
    "NewErrorRule",
    "Rule",
    "RuleProblem",
    "Rules",
    "Slo",
    "ThresholdRule",
]

GoodKind = Literal["within", "available", "no crash", "success", "metric"]
Aggregate = Literal["mean", "max", "min", "sum", "rate", "newest", "age"]


@dataclass(frozen=True, slots=True)
class MetricPart:
    """Rows of the table metrics: of this name, whose labels match these whole regular
    expressions; `name` may end in `*`."""

    name: str
    labels: Mapping[str, str]

    @property
    def pattern(self) -> str:
        """A row's sorted labels joined by newlines, with one before and after, match this."""
        parts = [f"\\n{name}=(?:{pattern})\\n" for name, pattern in sorted(self.labels.items())]
        return ".*".join(["(?s)", *parts]) if parts else ""


@dataclass(frozen=True, slots=True)
class MetricSli:
    """Good of total out of stored metrics: sums of counters (`good` or `bad`, of `total`), or the
    share of a gauge's points below or above `limit` (`total` is the gauge; `above`: which)."""

    total: MetricPart
    part: MetricPart | None = None
    #: `part` counts the bad ones
    part_is_bad: bool = False
    limit: float = 0.0
    above: bool = False


@dataclass(frozen=True, slots=True)
class Good:
    """What counts as good, and of which requests.

    within: answered in less than threshold_ms, of all. available: status below 500 and not killed,
    of all HTTP requests but client disconnects and 429. no crash: no unhandled exception and not in
    flight when the worker died, of all. success: 2xx, of all but 4xx. metric: as `metric` says.
    """

    kind: GoodKind
    threshold_ms: int
    text: str
    metric: MetricSli | None = None


@dataclass(frozen=True, slots=True)
class Slo:
    """A service level objective. `service`, `endpoint`: empty means any."""

    name: str
    service: str
    endpoint: str
    #: share of good requests that is promised, 0..1
    objective: float
    good: Good
    window_s: float
    tiers: tuple[Tier, ...]
    #: how long the burn must be over before the alert resolves, s
    keep_firing_s: float
    title: str = ""


@dataclass(frozen=True, slots=True)
class CostRule:
    """An endpoint's cost per request may rise by `budget` (a share) from release to release."""

    name: str
    service: str
    #: empty: all
    endpoints: tuple[str, ...]
    budget: float
    severity: str
    keep_firing_s: float


@dataclass(frozen=True, slots=True)
class ThresholdRule:
    """A number out of a stored metric crosses `limit` for at least `for_s`.

    `aggregate` over the last `over_s`: of all points, but rate: their sum a second, newest: the
    newest one, age: seconds since the newest one, looked for in the last `over_s`. One alert for
    each service and value of `by`, which are `host` or names of labels.
    """

    name: str
    title: str
    service: str
    metric: MetricPart
    aggregate: Aggregate
    over_s: float
    by: tuple[str, ...]
    above: bool
    limit: float
    for_s: float
    keep_firing_s: float
    severity: str


@dataclass(frozen=True, slots=True)
class HeadlineRule:
    """The cost per active user of the last whole hour lies more than `budget` (a share) above what
    it was in the same hour of every one of the `days` before that have data, at least three."""

    name: str
    service: str
    budget: float
    days: int
    #: fewer requests or users than these say nothing
    requests_min: int
    users_min: int
    severity: str
    keep_firing_s: float


@dataclass(frozen=True, slots=True)
class NewErrorRule:
    """An error fingerprint that the service never had, or `jump` times as many as ever in `over_s`.

    In the first `learn_s` of a service's errors nothing is new. Fewer than `events` say nothing.
    """

    name: str
    service: str
    learn_s: float
    over_s: float
    jump: float
    events: int
    severity: str
    keep_firing_s: float


Rule = Slo | CostRule | ThresholdRule | HeadlineRule | NewErrorRule


@dataclass(frozen=True, slots=True)
class RuleProblem:
    """Why a rule file was not taken. `line` counts from 1."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules in force, and what is wrong with the files that should have given more."""

    all: tuple[Rule, ...] = ()
    problems: tuple[RuleProblem, ...] = ()

    @property
    def slos(self) -> tuple[Slo, ...]:
        return tuple(rule for rule in self.all if isinstance(rule, Slo))

    @property
    def costs(self) -> tuple[CostRule, ...]:
        return tuple(rule for rule in self.all if isinstance(rule, CostRule))

    def names(self) -> tuple[str, ...]:
        return tuple(rule.name for rule in self.all)

    def with_window(self, window_s: float) -> Rules:
        """The same rules, every SLO (and its alert windows, in proportion) over `window_s`."""
        return replace(
            self,
            all=tuple(
                _over_window(rule, window_s) if isinstance(rule, Slo) else rule for rule in self.all
            ),
        )


def _over_window(slo: Slo, window_s: float) -> Slo:
    ratio = window_s / slo.window_s
    return replace(
        slo,
        window_s=window_s,
        tiers=scaled(slo.tiers, ratio),
        keep_firing_s=max(10.0, slo.keep_firing_s * ratio),
    )
