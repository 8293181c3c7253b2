"""How the values of a rule file are read: durations, shares, what is good, metrics."""

import re
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from alerting.rules import Good, GoodKind, MetricPart

__all__ = [
    "AnyWord",
    "DAY_S",
    "Metric",
    "Name",
    "Seconds",
    "Severity",
    "Share",
    "Strict",
    "Target",
    "good_of",
    "metric_of",
    "seconds_of",
    "target_of",
    "within",
]

#: The roll-ups count requests exactly at these edges only.
THRESHOLDS_MS = (100, 250, 500, 1_000, 2_000, 5_000)
DAY_S = 86_400.0
GOOD_WORDS: dict[str, GoodKind] = {
    "status below 500": "available",
    "no crash": "no crash",
    "status 2xx": "success",
}
#: Targets as people say them, beside `p99 < 500 ms`.
TARGET_WORDS: dict[str, str] = {
    "availability": "status below 500",
    "success": "status 2xx",
    "crash rate": "no crash",
}


def seconds_of(value: Any) -> float:
    """`90 s`, `5m`, `1h`, `30d`, `4w`."""
    units = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": DAY_S, "w": 7 * DAY_S}
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)\s*", str(value))
    if not match or float(match[1]) <= 0:
        raise ValueError(f"{value!r} is not a duration: write it as 30s, 5m, 1h or 30d")
    return float(match[1]) * units[match[2]]


def share_of(value: Any) -> float:
    """`99.9%` or 0.999; between 0 and 1, ends left out."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(%?)\s*", str(value))
    share = float(Decimal(match[1]) / (100 if match[2] else 1)) if match else 0.0
    if not 0 < share < 1:
        raise ValueError(f"{value!r} is not a share: write it as 99.9% or 0.999, below 100%")
    return share


def good_of(value: Any) -> Good:
    text = " ".join(str(value).split())
    if text in GOOD_WORDS:
        return Good(GOOD_WORDS[text], 0, text)
    match = re.fullmatch(r"within (.+)", text)
    if not match:
        choices = ", ".join(f"`{word}`" for word in ("within 500 ms", *GOOD_WORDS))
        raise ValueError(f"{text!r} is not known: write one of {choices}")
    return within(round(seconds_of(match[1]) * 1000), text)


def within(threshold_ms: int, text: str) -> Good:
    """Answered in less than that; raises ValueError where the roll-up has no edge."""
    if threshold_ms not in THRESHOLDS_MS:
        raise ValueError(
            f"{threshold_ms} ms is not counted exactly in roll-ups: choose one of "
            f"{', '.join(str(edge) for edge in THRESHOLDS_MS)} ms"
        )
    return Good("within", threshold_ms, text)


def target_of(value: Any) -> tuple[float, Good]:
    """`p99 < 500 ms`, `availability > 99.99%`, `crash rate < 0.1%`: the objective, and the good."""
    text = " ".join(str(value).split())
    if match := re.fullmatch(r"[pP](\d\d(?:\.\d+)?) ?< ?(.+)", text):
        objective = float(Decimal(match[1]) / 100)
        return objective, within(round(seconds_of(match[2]) * 1000), f"within {match[2]}")
    match = re.fullmatch(rf"({'|'.join(TARGET_WORDS)}) ?([<>]) ?(\S+)", text)
    if not match or (match[2] == "<") != (match[1] == "crash rate"):
        raise ValueError(
            f"{text!r} is no target: write such as `p99 < 500 ms`, `success > 99.9%`, "
            "`availability > 99.99%` or `crash rate < 0.1%`"
        )
    share = share_of(match[3])
    objective = float(1 - Decimal(str(share))) if match[2] == "<" else share
    return objective, good_of(TARGET_WORDS[match[1]])


def metric_of(value: Any) -> MetricPart:
    """A name, or {metric: name, labels: {code: 5xx}}; labels are whole regular expressions."""
    given = {"metric": value} if isinstance(value, str) else value
    if not isinstance(given, dict) or not set(given) <= {"metric", "labels"}:
        raise ValueError("write a metric as its name, or {metric: NAME, labels: {NAME: REGEX}}")
    name, labels = given.get("metric"), given.get("labels") or {}
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z_][\w.:-]*\*?", name):
        raise ValueError(f"{name!r} is not the name of a metric")
    if not isinstance(labels, dict):
        raise ValueError("labels are written as {NAME: REGEX}")
    for label, pattern in labels.items():
        try:
            re.compile(str(pattern))
        except re.error as error:
            raise ValueError(f"the label {label} is no regular expression: {error}") from error
    return MetricPart(name, {str(label): str(pattern) for label, pattern in labels.items()})


def _any(value: Any) -> str:
    return "" if value in ("any", "all") else str(value)


Seconds = Annotated[float, BeforeValidator(seconds_of)]
Share = Annotated[float, BeforeValidator(share_of)]
Metric = Annotated[MetricPart, BeforeValidator(metric_of)]
Target = Annotated[tuple[float, Good], BeforeValidator(target_of)]
AnyWord = Annotated[str, BeforeValidator(_any)]
Name = Annotated[str, Field(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,79}$")]
Severity = Literal["page", "ticket"]


class Strict(BaseModel):
    """A part of a file: a word that is not known is a mistake."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)
