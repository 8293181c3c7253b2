"""What a rising rate of requests shows: the rate at which waiting gets too long. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["STEPS", "Step", "left_at_rps", "steps"]

STEPS = 12
SHARE = 0.99


@dataclass(frozen=True, slots=True)
class Step:
    """A part of the ramp. `p99_ms`: from a request's planned moment to its answer, 0 for none."""

    rate_rps: float
    requests: int
    failures: int
    p99_ms: float


def steps(
    lines: Iterable[Mapping[str, Any]], from_rps: float, to_rps: float, seconds: float
) -> list[Step]:
    """The load's lines (requests.jsonl) in STEPS parts of equal length, by planned moment."""
    waits_ms: list[list[float]] = [[] for _ in range(STEPS)]
    failures = [0] * STEPS
    for line in lines:
        number = min(STEPS - 1, int(line["planned_s"] / seconds * STEPS))
        waits_ms[number].append(1000 * (line["sent_s"] - line["planned_s"]) + line["wall_ms"])
        failures[number] += not 100 <= line["status"] < 500
    return [
        Step(
            rate_rps=round(from_rps + (to_rps - from_rps) * (number + 0.5) / STEPS, 1),
            requests=len(waits),
            failures=failures[number],
            p99_ms=round(sorted(waits)[int(SHARE * len(waits))], 1) if waits else 0.0,
        )
        for number, waits in enumerate(waits_ms)
    ]


def left_at_rps(found: list[Step], limit_ms: float) -> float | None:
    """The rate of the first step beyond the limit, if the one after it, where there is one, is
    beyond it, too: one slow moment is no limit. None: never."""
    beyond = [step.p99_ms > limit_ms or step.failures > step.requests / 100 for step in found]
    for number, step in enumerate(found):
        if all(beyond[number : number + 2]):
            return step.rate_rps
    return None
