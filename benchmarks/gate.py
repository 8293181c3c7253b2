"""Does the gate find what costs more, name the function, and keep quiet otherwise?

Versions of a real application are generated: neutral edits, the same commit again, and loops that
cost 0.1 to 10% of one endpoint, five places each. Each version is measured once under callgrind and
compared with others in pairs, by the gate's own code, with a budget of 0.2%.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import click

from alerting.gate.config import read_config
from alerting.gate.counter import counter_and_shim
from alerting.gate.errors import GateError
from alerting.gate.measure import Bench
from alerting.gate.services import running_services
from alerting.gate.workshop import open_workshop
from benchmarks.gating.campaign import Campaign, Found, Planted

ROOT = Path(__file__).parent.parent
#: As many as the gate takes by default.
LAYOUTS = 4
SIZES = (0.001, 0.003, 0.01, 0.03, 0.1)


@dataclass(frozen=True, slots=True)
class App:
    """An application with its gate.toml, the files for neutral edits, the planted places."""

    name: str
    folder: Path
    sources: tuple[str, ...]
    places: tuple[Planted, ...]


FLASK = App(
    "flask",
    ROOT / "tests/alerting/gate/apps/flask_app",
    ("shop.py", "catalogue.py"),
    (
        Planted("catalogue.py", "prices", "GET /items/", 1),
        Planted("catalogue.py", "price", "GET /items/", 40),
        Planted("catalogue.py", "cheapest", "GET /items/<number>/", 1),
        Planted("shop.py", "items", "GET /items/", 1),
        Planted("shop.py", "item", "GET /items/<number>/", 1),
    ),
)
_RANKING = "photos/ranking"
DEMO = App(
    "demo",
    ROOT,
    (f"{_RANKING}/affinity.py", f"{_RANKING}/quality.py", "photos/views/search.py"),
    tuple(
        Planted(f"{_RANKING}/{file}", function, "GET /api/v1/feed/", calls)
        for file, function, calls in (
            ("affinity.py", "affinity_score", 500),
            ("quality.py", "quality_score", 500),
            ("recency.py", "recency_score", 500),
            ("engagement.py", "engagement_score", 500),
            ("context.py", "load_viewer", 1),
        )
    ),
)


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is tried."""

    apps: tuple[App, ...]
    neutral: int
    pairs: int
    same: int
    same_pairs: int
    places: int
    sizes: tuple[float, ...]


FULL = Plan((DEMO, FLASK), neutral=14, pairs=100, same=5, same_pairs=10, places=5, sizes=SIZES)
QUICK = Plan((FLASK,), neutral=3, pairs=6, same=2, same_pairs=1, places=1, sizes=(0.003, 0.01))


@click.command(help=(__doc__ or "").partition("\n")[0])
@click.option("--quick", is_flag=True, help="One application, two endpoints, a few pairs.")
def main(quick: bool) -> None:
    """Print what is going on, then the JSON object as the last line."""
    plan = QUICK if quick else FULL
    pairs = alarms = 0
    found: list[Found] = []
    try:
        for app in plan.apps:
            more = _campaign(app, plan, two_endpoints=quick)
            pairs, alarms = pairs + more[0], alarms + more[1]
            found += more[2]
        seconds = _seconds_8_endpoints(plan)
    except GateError as error:
        sys.exit(f"gate: {error}")
    print(json.dumps(_answer(pairs, alarms, found, plan, seconds)))


def _campaign(app: App, plan: Plan, two_endpoints: bool) -> tuple[int, int, list[Found]]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        config = read_config(app.folder / "gate.toml")
        root = _copy(app, folder / "source")
        settings = stack.enter_context(running_services(config.services, ROOT, config.timeout_s))
        config = replace(config, env={**settings, **config.env}, install="", layouts=LAYOUTS)
        if two_endpoints:
            config = replace(config, endpoints=config.endpoints[:2])
        workshop = stack.enter_context(open_workshop())
        counter, shim = counter_and_shim("callgrind", _say)
        bench = Bench(config, workshop, shim, counter, os.cpu_count() or 1, lambda words: None)
        campaign = Campaign(root, workshop, bench, config, _say)
        pairs, alarms = campaign.false_alarms(
            campaign.neutral_versions(plan.neutral, app.sources, seed=7), plan.pairs
        )
        _say(f"{app.name}: {pairs} neutral pairs, {alarms} false alarms")
        same, false = campaign.false_alarms(campaign.same_versions(plan.same), plan.same_pairs)
        _say(f"{app.name}: {same} pairs of the same commit, {false} false alarms")
        found = []
        for place in app.places[: plan.places]:
            found += campaign.plant(place, plan.sizes)
        return pairs + same, alarms + false, found


def _copy(app: App, folder: Path) -> Path:
    """The application's files; the demo's service as a release has it."""
    if app.name == "demo":
        shutil.copytree(ROOT / "demo_stack/service", folder / "photos")
    else:
        shutil.copytree(app.folder, folder)
    return folder


def _seconds_8_endpoints(plan: Plan) -> float:
    """How long both sides of 8 endpoints take when no more layouts are needed."""
    app = plan.apps[-1]
    config = read_config(app.folder / "gate.toml")
    some = config.endpoints
    eight = tuple(
        replace(some[n % len(some)], name=f"{n} {some[n % len(some)].name}") for n in range(8)
    )
    config = replace(config, endpoints=eight, layouts=LAYOUTS)
    counter, shim = counter_and_shim("callgrind", _say)
    with open_workshop() as workshop:
        bench = Bench(config, workshop, shim, counter, os.cpu_count() or 1, lambda words: None)
        for side in ("base", "head"):
            shutil.copytree(app.folder, workshop.root / f"side-{side}")
        begun = time.monotonic()
        for side in ("base", "head"):
            bench.begin(side)
        for side in ("base", "head"):
            bench.count(side, [one.name for one in eight], range(config.layouts))
        return time.monotonic() - begun


def _answer(
    pairs: int, alarms: int, found: Sequence[Found], plan: Plan, seconds: float
) -> dict[str, object]:
    shares = {}
    for size in plan.sizes:
        of_size = [one for one in found if abs(one.size / size - 1) < 0.3]
        shares[f"{size * 100:g}"] = (
            sum(one.found for one in of_size) / len(of_size) if of_size else None
        )
    seen = [one for one in found if one.found]
    return {
        "name": "gate",
        "pairs": pairs,
        "aa_false": alarms,
        "found": shares,
        "planted": len(found),
        "function_named": sum(one.named for one in seen) / len(seen) if seen else None,
        "seconds_8_endpoints": round(seconds, 1),
        "peers": {},
    }


def _say(words: str) -> None:
    print(f"gate: {words}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
