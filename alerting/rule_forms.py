"""The short form of rules: `slos:` and `alerts:` of a file, as they become rules.

::

    slos:
      - name: feed-latency
        endpoint: GET /api/v1/feed/
        target: p99 < 500 ms         # or objective: 99% with good: within 500 ms
      - name: edge
        objective: 99.99%
        total: {metric: nginx_requests_total}
        bad: {metric: nginx_requests_total, labels: {code: 5..}}
      - name: short-queue
        objective: 99%
        metric: uwsgi_listen_queue
        good: below 50
    alerts:
      - {name: cost, kind: cost-between-releases, budget: 5%}
      - {name: full-disk, kind: threshold, metric: host_disk_used_share, by: [host], above: 0.9,
         for: 10m, keep_firing_for: 10m}
      - {name: new-errors, kind: new-error, learn: 1h, jump: 5}
      - {name: per-user, kind: cost-per-active-user, budget: 10%}
"""

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from alerting.burn import BURN_TIERS, Tier, scaled
from alerting.rule_words import (
    DAY_S,
    AnyWord,
    Metric,
    Name,
    Seconds,
    Severity,
    Share,
    Strict,
    Target,
    good_of,
    metric_of,
)
from alerting.rules import (
    CostRule,
    Good,
    HeadlineRule,
    MetricPart,
    MetricSli,
    NewErrorRule,
    Rule,
    Slo,
    ThresholdRule,
)

__all__ = ["KINDS", "Document", "default_keep_s", "default_tiers", "rules_of"]

#: What `kind` may say.
KINDS = ("cost-between-releases", "threshold", "new-error", "cost-per-active-user")


def _endpoints(value: Any) -> tuple[str, ...]:
    if value in ("all", "any"):
        return ()
    return tuple(str(item) for item in value) if isinstance(value, list) else (str(value),)


@dataclass(frozen=True, slots=True)
class _Bound:
    """`below 50` of a gauge."""

    above: bool
    limit: float


def _good(value: Any) -> Good | MetricPart | _Bound:
    if isinstance(value, dict):
        return metric_of(value)
    match = re.fullmatch(r"\s*(below|above)\s+(-?\d+(?:\.\d+)?)\s*", str(value))
    return _Bound(match[1] == "above", float(match[2])) if match else good_of(value)


class _Burn(Strict):
    factor: Annotated[float, Field(gt=0)]
    long: Seconds
    short: Seconds
    severity: Severity = "page"


class _SloForm(Strict):
    name: Name
    title: str = ""
    service: AnyWord = ""
    endpoint: AnyWord = ""
    target: Target | None = None
    objective: Share | None = None
    good: Annotated[Good | MetricPart | _Bound | None, BeforeValidator(_good)] = None
    bad: Metric | None = None
    total: Metric | None = None
    metric: Metric | None = None
    window: Seconds = 30 * DAY_S
    burn: list[_Burn] | None = None
    keep_firing_for: Seconds | None = None

    @model_validator(mode="after")
    def _whole(self) -> "_SloForm":
        if self.target is not None:
            if self.objective is not None or self.good is not None:
                raise ValueError("`target` says objective and good already: leave those out")
        elif self.objective is None:
            raise ValueError("Field required: objective, such as 99.9% (or target: p99 < 500 ms)")
        elif self.good is None and self.bad is None:
            raise ValueError("Field required: good, such as `within 500 ms` (or target)")
        self.promise()
        return self

    def promise(self) -> tuple[float, Good]:
        """The objective, and what is good."""
        if self.target is not None:
            return self.target
        assert self.objective is not None
        if isinstance(self.good, Good) and not (self.total or self.metric or self.bad):
            return self.objective, self.good
        return self.objective, _metric_good(self)


class _CostForm(Strict):
    name: Name
    kind: Literal["cost-between-releases"]
    service: AnyWord = ""
    endpoints: Annotated[tuple[str, ...], BeforeValidator(_endpoints)] = ()
    budget: Share = 0.01
    severity: Severity = "ticket"
    keep_firing_for: Seconds = 60.0


class _ThresholdForm(Strict):
    name: Name
    kind: Literal["threshold"]
    title: str = ""
    service: AnyWord = ""
    metric: Metric
    aggregate: Literal["mean", "max", "min", "sum", "rate", "newest", "age"] = "mean"
    over: Seconds = 300.0
    by: list[Annotated[str, Field(pattern=r"^[A-Za-z_]\w*$")]] = []
    above: float | None = None
    below: float | None = None
    for_: Annotated[Seconds, Field(alias="for")] = 0.0
    keep_firing_for: Seconds = 60.0
    severity: Severity = "ticket"

    @model_validator(mode="after")
    def _one_limit(self) -> "_ThresholdForm":
        if (self.above is None) == (self.below is None):
            raise ValueError("write one of `above` and `below`, a number")
        return self


class _NewErrorForm(Strict):
    name: Name
    kind: Literal["new-error"]
    service: AnyWord = ""
    learn: Seconds = 3_600.0
    over: Seconds = 600.0
    jump: Annotated[float, Field(gt=1)] = 10.0
    events: Annotated[int, Field(ge=1)] = 1
    severity: Severity = "ticket"
    keep_firing_for: Seconds = 600.0


class _HeadlineForm(Strict):
    name: Name
    kind: Literal["cost-per-active-user"]
    service: AnyWord = ""
    budget: Share = 0.1
    days: Annotated[int, Field(ge=3, le=28)] = 7
    requests: Annotated[int, Field(ge=1)] = 1_000
    users: Annotated[int, Field(ge=1)] = 50
    severity: Severity = "ticket"
    keep_firing_for: Seconds = 3_600.0


_AlertForm = Annotated[
    _CostForm | _ThresholdForm | _NewErrorForm | _HeadlineForm, Field(discriminator="kind")
]


class Document(Strict):
    """One file of the short form."""

    slos: list[_SloForm] = []
    alerts: list[_AlertForm] = []


def rules_of(document: Document) -> tuple[Rule, ...]:
    return (*(_slo(form) for form in document.slos), *(_alert(form) for form in document.alerts))


def default_tiers(window_s: float) -> tuple[Tier, ...]:
    """The SRE workbook's, for an SLO window of that length."""
    return scaled(BURN_TIERS, window_s / (30 * DAY_S))


def default_keep_s(window_s: float) -> float:
    return max(10.0, 300.0 * window_s / (30 * DAY_S))


def _slo(form: _SloForm) -> Slo:
    objective, good = form.promise()
    tiers = (
        tuple(Tier(b.factor, b.long, b.short, b.severity) for b in form.burn)
        if form.burn is not None
        else default_tiers(form.window)
    )
    return Slo(
        name=form.name,
        service=form.service,
        endpoint=form.endpoint,
        objective=objective,
        good=good,
        window_s=form.window,
        tiers=tiers,
        keep_firing_s=form.keep_firing_for or default_keep_s(form.window),
        title=form.title or form.name,
    )


def _metric_good(form: _SloForm) -> Good:
    """Raises ValueError for parts that do not make a share."""
    if form.endpoint:
        raise ValueError("an SLO over a metric has no endpoint: leave it out")
    good = form.good
    if form.metric is not None:
        if not isinstance(good, _Bound) or form.total is not None or form.bad is not None:
            raise ValueError("with `metric`, write good: below NUMBER or above NUMBER, no more")
        words = f"{form.metric.name} {'above' if good.above else 'below'} {good.limit:g}"
        sli = MetricSli(form.metric, limit=good.limit, above=good.above)
        return Good("metric", 0, words, sli)
    part = form.bad or good
    if form.total is None or not isinstance(part, MetricPart) or (form.bad and good):
        raise ValueError("write `total` and one of `good` and `bad`, each {metric: NAME}")
    words = f"{'not ' if form.bad else ''}counted by {part.name}"
    if part.labels:
        words += "{" + ",".join(f"{k}={v}" for k, v in sorted(part.labels.items())) + "}"
    return Good("metric", 0, words, MetricSli(form.total, part, form.bad is not None))


def _alert(form: _CostForm | _ThresholdForm | _NewErrorForm | _HeadlineForm) -> Rule:
    same: dict[str, Any] = {
        "name": form.name,
        "service": form.service,
        "severity": form.severity,
        "keep_firing_s": form.keep_firing_for,
    }
    if isinstance(form, _CostForm):
        return CostRule(**same, endpoints=form.endpoints, budget=form.budget)
    if isinstance(form, _NewErrorForm):
        learn_s, over_s = form.learn, form.over
        return NewErrorRule(
            **same, learn_s=learn_s, over_s=over_s, jump=form.jump, events=form.events
        )
    if isinstance(form, _HeadlineForm):
        return HeadlineRule(
            **same,
            budget=form.budget,
            days=form.days,
            requests_min=form.requests,
            users_min=form.users,
        )
    limit = form.above if form.above is not None else form.below
    assert limit is not None
    return ThresholdRule(
        **same,
        title=form.title or form.name,
        metric=form.metric,
        aggregate=form.aggregate,
        over_s=form.over,
        by=tuple(form.by),
        above=form.above is not None,
        limit=limit,
        for_s=form.for_,
    )
