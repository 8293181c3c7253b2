"""What a rule is, and how a rule file becomes rules.

A file holds `slos:` and `alerts:`::

    slos:
      - name: feed-latency
        endpoint: GET /api/v1/feed/
        objective: 99%
        good: within 500 ms      # or: status below 500, no crash, status 2xx
        window: 30d
    alerts:
      - name: cost-between-releases
        kind: cost-between-releases
        endpoints: all
        budget: 5%
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from alerting.burn import BURN_TIERS, Tier, scaled

__all__ = ["CostRule", "Good", "GoodKind", "RuleProblem", "Rules", "Slo", "parse_rules"]

GoodKind = Literal["within", "available", "no crash", "success"]
#: The roll-ups count requests exactly at these edges only.
THRESHOLDS_MS = (100, 250, 500, 1_000, 2_000, 5_000)
DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Good:
    """What counts as good, and of which requests.

    within: answered in less than threshold_ms, of all. available: status below 500 and not killed,
    of all HTTP requests but client disconnects and 429. no crash: no unhandled exception and not in
    flight when the worker died, of all. success: 2xx, of all but 4xx.
    """

    kind: GoodKind
    threshold_ms: int
    text: str


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

    slos: tuple[Slo, ...] = ()
    costs: tuple[CostRule, ...] = ()
    problems: tuple[RuleProblem, ...] = field(default=())

    def names(self) -> tuple[str, ...]:
        return tuple(slo.name for slo in self.slos) + tuple(cost.name for cost in self.costs)

    def with_window(self, window_s: float) -> Rules:
        """The same rules, every SLO (and its alert windows, in proportion) over `window_s`."""
        return replace(self, slos=tuple(_over_window(slo, window_s) for slo in self.slos))


def parse_rules(text: str, file: str) -> tuple[Rules, tuple[RuleProblem, ...]]:
    """The rules of one file; with any problem, no rules at all."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        what = getattr(error, "problem", None) or str(error)
        return Rules(), (RuleProblem(file, line, f"not YAML: {what}"),)
    try:
        document = _Document.model_validate(data if data is not None else {})
    except ValidationError as error:
        return Rules(), tuple(_problem(file, node, dict(item)) for item in error.errors())
    rules = Rules(
        tuple(_slo(item) for item in document.slos), tuple(_cost(item) for item in document.alerts)
    )
    twice = _named_twice(rules.names())
    if twice:
        line = _line_of_name(text, twice)
        return Rules(), (RuleProblem(file, line, f"two rules are named {twice!r}"),)
    return rules, ()


def _seconds(value: Any) -> float:
    """`90 s`, `5m`, `1h`, `30d`."""
    units = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": DAY_S}
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)\s*", str(value))
    if not match or float(match[1]) <= 0:
        raise ValueError(f"{value!r} is not a duration: write it as 30s, 5m, 1h or 30d")
    return float(match[1]) * units[match[2]]


def _share(value: Any) -> float:
    """`99.9%` or 0.999; between 0 and 1, ends left out."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(%?)\s*", str(value))
    share = float(Decimal(match[1]) / (100 if match[2] else 1)) if match else 0.0
    if not 0 < share < 1:
        raise ValueError(f"{value!r} is not a share: write it as 99.9% or 0.999, below 100%")
    return share


def _good(value: Any) -> Good:
    words: dict[str, GoodKind] = {
        "status below 500": "available",
        "no crash": "no crash",
        "status 2xx": "success",
    }
    text = " ".join(str(value).split())
    if text in words:
        return Good(words[text], 0, text)
    match = re.fullmatch(r"within (.+)", text)
    if not match:
        choices = ", ".join(f"`{word}`" for word in ("within 500 ms", *words))
        raise ValueError(f"{text!r} is not known: write one of {choices}")
    threshold_ms = round(_seconds(match[1]) * 1000)
    if threshold_ms not in THRESHOLDS_MS:
        raise ValueError(
            f"{threshold_ms} ms is not counted exactly in roll-ups: choose one of "
            f"{', '.join(str(edge) for edge in THRESHOLDS_MS)} ms"
        )
    return Good("within", threshold_ms, text)


def _any(value: Any) -> str:
    return "" if value in ("any", "all") else str(value)


def _endpoints(value: Any) -> tuple[str, ...]:
    if value in ("all", "any"):
        return ()
    return tuple(str(item) for item in value) if isinstance(value, list) else (str(value),)


Seconds = Annotated[float, BeforeValidator(_seconds)]
Share = Annotated[float, BeforeValidator(_share)]
Name = Annotated[str, Field(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,79}$")]
Severity = Literal["page", "ticket"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)


class _Burn(_Strict):
    factor: Annotated[float, Field(gt=0)]
    long: Seconds
    short: Seconds
    severity: Severity = "page"


class _SloForm(_Strict):
    name: Name
    title: str = ""
    service: Annotated[str, BeforeValidator(_any)] = ""
    endpoint: Annotated[str, BeforeValidator(_any)] = ""
    objective: Share
    good: Annotated[Good, BeforeValidator(_good)]
    window: Seconds = 30 * DAY_S
    burn: list[_Burn] | None = None
    keep_firing_for: Seconds | None = None


class _CostForm(_Strict):
    name: Name
    kind: Literal["cost-between-releases"]
    service: Annotated[str, BeforeValidator(_any)] = ""
    endpoints: Annotated[tuple[str, ...], BeforeValidator(_endpoints)] = ()
    budget: Share = 0.01
    severity: Severity = "ticket"
    keep_firing_for: Seconds = 60.0


class _Document(_Strict):
    slos: list[_SloForm] = []
    alerts: list[_CostForm] = []


def _slo(form: _SloForm) -> Slo:
    tiers = (
        tuple(Tier(b.factor, b.long, b.short, b.severity) for b in form.burn)
        if form.burn is not None
        else scaled(BURN_TIERS, form.window / (30 * DAY_S))
    )
    keep_s = form.keep_firing_for or max(10.0, 300.0 * form.window / (30 * DAY_S))
    return Slo(
        name=form.name,
        service=form.service,
        endpoint=form.endpoint,
        objective=form.objective,
        good=form.good,
        window_s=form.window,
        tiers=tiers,
        keep_firing_s=keep_s,
        title=form.title or form.name,
    )


def _cost(form: _CostForm) -> CostRule:
    return CostRule(
        name=form.name,
        service=form.service,
        endpoints=form.endpoints,
        budget=form.budget,
        severity=form.severity,
        keep_firing_s=form.keep_firing_for,
    )


def _over_window(slo: Slo, window_s: float) -> Slo:
    ratio = window_s / slo.window_s
    return replace(
        slo,
        window_s=window_s,
        tiers=scaled(slo.tiers, ratio),
        keep_firing_s=max(10.0, slo.keep_firing_s * ratio),
    )


def _named_twice(names: Sequence[str]) -> str:
    return next((name for i, name in enumerate(names) if name in names[:i]), "")


def _line_of_name(text: str, name: str) -> int:
    lines: Iterable[int] = (
        number
        for number, line in enumerate(text.splitlines(), start=1)
        if re.search(rf"\bname:\s*[\"']?{re.escape(name)}[\"']?\s*(#.*)?$", line)
    )
    return max(lines, default=1)


def _problem(file: str, root: yaml.Node | None, error: dict[str, Any]) -> RuleProblem:
    where = ".".join(str(part) for part in error["loc"]) or "the file"
    message = error["msg"].removeprefix("Value error, ")
    return RuleProblem(file, _line(root, error["loc"]), f"{where}: {message}")


def _line(node: yaml.Node | None, path: Sequence[Any]) -> int:
    """The line of the value at `path`, or of the nearest thing around it that is there."""
    line = node.start_mark.line + 1 if node else 1
    for part in path:
        if isinstance(node, yaml.MappingNode):
            found = [(key, value) for key, value in node.value if key.value == str(part)]
            if not found:
                break
            line, node = found[0][0].start_mark.line + 1, found[0][1]
        elif (
            isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value)
        ):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            break
    return line
