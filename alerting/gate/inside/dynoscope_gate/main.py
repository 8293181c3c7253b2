"""One measured process: load the application, warm it up, count its requests.

Started as `python -c ... SPEC.json`; writes `result.json` beside it. The specification's keys are
the arguments of `alerting.gate.process.Task`.
"""

from __future__ import annotations

import gc
import json
import os
import random
import sys
import traceback
from importlib import import_module
from typing import Any

from . import counters, environment, frames, requests
from .shim import Shim

__all__ = ["main"]

#: Rounds after the collector is off and before the first count: memory settles.
SETTLING_ROUNDS = 2


class Unmeasurable(Exception):
    """The sentence that the engineer reads."""


def main(spec_path: str) -> None:
    """Run the specification; failures become {"error": sentence} in the result."""
    with open(spec_path, encoding="utf-8") as file:
        spec = json.load(file)
    try:
        result = _run(spec)
    except Unmeasurable as error:
        result = {"error": str(error)}
    except BaseException as error:  # an application may also exit
        frames_text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
        result = {"error": f"{type(error).__name__}: {error}", "trace": frames_text[-4000:]}
    with open(os.path.join(spec["out"], "result.json"), "w", encoding="utf-8") as file:
        json.dump(result, file)


def _run(spec: dict[str, Any]) -> dict[str, Any]:
    kept = _spread_memory(spec["layout"])
    shim = Shim(spec["shim"])
    shim.freeze(spec["clock_us"], spec["seed"])
    sys.path[:0] = [os.path.join(spec["folder"], part) for part in spec["path"]]
    os.chdir(spec["folder"])
    random.seed(spec["seed"])
    if spec["mode"] == "prepare":
        _attribute(spec["prepare"], "prepare")()
        return {}
    application = _attribute(spec["application"], "application")
    _check_origin(spec)
    endpoints = [requests.Endpoint(given) for given in spec["endpoints"]]
    rounds = requests.Rounds(application, endpoints, lambda: _rewind(shim, spec["seed"]))
    answers = rounds.first()
    for _ in range(spec["warm_up"]):
        rounds.run()
    result = {"answers": answers}
    if spec["mode"] == "check":
        result["environment"] = environment.describe()
    else:
        gc.collect()
        gc.freeze()
        gc.disable()
        for _ in range(SETTLING_ROUNDS):
            rounds.run()
        result.update(_count(spec, shim, rounds))
    del kept
    return result


def _count(spec: dict[str, Any], shim: Shim, rounds: requests.Rounds) -> dict[str, Any]:
    if spec["mode"] == "count":
        count = counters.COUNTERS[spec["counter"]]
        return count(shim, rounds, spec["rounds"])
    named = frames.discover(rounds, spec["folder"], own_only=spec["own_only"])
    chosen = [name for name in spec["functions"] if name in named] or sorted(named)
    missed = frames.name_frames(shim, named, chosen)
    rounds.run()
    counters.simulated(shim, rounds, spec["rounds"])
    return {"functions": chosen[: frames.NAMES_MAX], "calls": {}, "unnamed": missed}


def _rewind(shim: Shim, seed: int) -> None:
    shim.rewind()
    random.seed(seed)


def _attribute(text: str, what: str) -> Any:
    """The object that `package.module:name` names."""
    module, _, name = text.partition(":")
    found: Any = import_module(module)
    for part in (name or "application").split("."):
        if not hasattr(found, part):
            raise Unmeasurable(f"{what} = {text!r}: {module} has no {part}")
        found = getattr(found, part)
    return found


def _check_origin(spec: dict[str, Any]) -> None:
    """An installed copy beside the checkout would be measured twice, unnoticed."""
    module = sys.modules[spec["application"].partition(":")[0]]
    origin = os.path.realpath(getattr(module, "__file__", None) or "")
    if not origin.startswith(os.path.realpath(spec["folder"]) + os.sep):
        raise Unmeasurable(
            f"application = {spec['application']!r} was loaded from {origin}, not from "
            "the checkout: name its folder in `path` of gate.toml"
        )


def _spread_memory(layout: int) -> list[Any]:
    """Objects that only move the application's own to other addresses; none for layout 0."""
    rng = random.Random(layout)
    if not layout:
        return []
    kept: list[Any] = [bytes(rng.randrange(1, 480)) for _ in range(rng.randrange(2000, 6000))]
    kept.append([type(f"Spread{n}", (), {}).__mro__ for n in range(rng.randrange(500))])
    return kept
