"""speedscope's own format: https://www.speedscope.app/file-format-schema.json"""

import json
from collections.abc import Sequence

from profiler.formats.weighted import WeightedStack

__all__ = ["speedscope"]

SCHEMA = "https://www.speedscope.app/file-format-schema.json"


def speedscope(stacks: Sequence[WeightedStack], name: str) -> str:
    """One sampled profile; weights are CPU time where it is known, samples otherwise."""
    timed = any(stack.cpu_ns for stack in stacks)
    weights = [stack.cpu_ns if timed else stack.samples for stack in stacks]
    number: dict[str, int] = {}
    samples = [[number.setdefault(f, len(number)) for f in stack.frames] for stack in stacks]
    profile = {
        "type": "sampled",
        "name": name,
        "unit": "nanoseconds" if timed else "none",
        "startValue": 0,
        "endValue": sum(weights),
        "samples": samples,
        "weights": weights,
    }
    return json.dumps(
        {
            "$schema": SCHEMA,
            "name": name,
            "exporter": "dynoscope",
            "activeProfileIndex": 0,
            "shared": {"frames": [_frame(frame) for frame in number]},
            "profiles": [profile],
        }
    )


def _frame(frame: str) -> dict[str, str]:
    module, colon, name = frame.partition(":")
    return {"name": name, "file": module} if colon else {"name": frame}
