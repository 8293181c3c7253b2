"""Does the gate find what costs more, name the function, and keep quiet otherwise?

Versions of a real application are generated: neutral edits, the same commit again, and code that
costs 0.1 to 10% of one endpoint, five places each. Each version is measured once under callgrind
and compared with others in pairs, by the gate's own code, with a budget of 0.2%.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from functools import cache, partial
from pathlib import Path

import click

from alerting.gate.config import GateConfig, read_config
from alerting.gate.counter import counter_and_shim
from alerting.gate.errors import GateError
from alerting.gate.measure import Bench
from alerting.gate.services import running_services
from alerting.gate.workshop import Workshop, open_workshop
from benchmarks.gating.campaign import BUDGET, Campaign, Found, Planted
from benchmarks.gating.parts import Parts
from benchmarks.gating.peers import Trial, compare_peers

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
    peers_same: int
    peers_neutral: int


FULL = Plan(
    (FLASK, DEMO), neutral=14, pairs=100, same=5, same_pairs=10, places=5, sizes=SIZES,
    peers_same=4, peers_neutral=8,
)  # fmt: skip
QUICK = Plan(
    (FLASK,), neutral=3, pairs=6, same=2, same_pairs=1, places=1, sizes=(0.003, 0.01),
    peers_same=1, peers_neutral=1,
)  # fmt: skip


@click.command(help=(__doc__ or "").partition("\n")[0])
@click.option("--quick", is_flag=True, help="One application, two endpoints, a few pairs.")
@click.option(
    "--keep", type=click.Path(path_type=Path), help="Where finished parts are kept, to go on later."
)
@click.option("--minutes", default=60.0, show_default=True, help="Begin no part after this time.")
def main(quick: bool, keep: Path | None, minutes: float) -> None:
    """Print what is going on, then the JSON object as the last line."""
    plan = QUICK if quick else FULL
    parts = Parts(keep, time.monotonic() + minutes * 60, _say)
    try:
        parts.take("seconds", lambda: [_seconds_8_endpoints(plan)])
        for app in plan.apps:
            _campaign(app, plan, parts, two_endpoints=quick)
        parts.take("peers", lambda: [compare_peers(_trial(plan), BUDGET.relative, _say)])
    except GateError as error:
        sys.exit(f"gate: {error}")
    print(json.dumps(_answer(parts, plan)))


def _campaign(app: App, plan: Plan, parts: Parts, two_endpoints: bool) -> None:
    """Its parts; the application is measured as soon as one of them is missing."""
    with ExitStack() as stack:

        @cache
        def campaign() -> Campaign:
            return _opened(app, stack, two_endpoints)

        def neutral() -> list[int]:
            versions = campaign().neutral_versions(plan.neutral, app.sources, seed=7)
            return list(campaign().false_alarms(versions, plan.pairs))

        def same() -> list[int]:
            versions = campaign().same_versions(plan.same)
            return list(campaign().false_alarms(versions, plan.same_pairs))

        def planted(place: Planted) -> list[dict[str, object]]:
            return [asdict(one) for one in campaign().plant(place, plan.sizes)]

        parts.take(f"{app.name} same", same)
        for place in app.places[: plan.places]:
            parts.take(f"{app.name} planted {place.name}", partial(planted, place))
        parts.take(f"{app.name} neutral", neutral)


def _opened(app: App, stack: ExitStack, two_endpoints: bool) -> Campaign:
    config, root = _ready(app, stack)
    if two_endpoints:
        config = replace(config, endpoints=config.endpoints[:2])
    workshop = stack.enter_context(open_workshop())
    return Campaign(root, workshop, _bench(config, workshop), config, _say)


def _ready(app: App, stack: ExitStack) -> tuple[GateConfig, Path]:
    """Its gate.toml with its services running, and a folder with its files."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    config = read_config(app.folder / "gate.toml")
    root = _copy(app, folder / "source")
    settings = stack.enter_context(running_services(config.services, ROOT, config.timeout_s))
    env = {**settings, **config.env}
    return replace(config, env=env, install="", layouts=LAYOUTS), root


def _bench(config: GateConfig, workshop: Workshop) -> Bench:
    counter, shim = counter_and_shim("callgrind", _say)
    return Bench(config, workshop, shim, counter, os.cpu_count() or 1, lambda words: None)


def _trial(plan: Plan) -> Trial:
    """The Flask application, one place."""
    place = FLASK.places[1]
    return Trial(
        root=FLASK.folder, application="shop:application", path="/items/", sources=FLASK.sources,
        file=place.file, function=place.function, calls=place.calls, sizes=plan.sizes,
        same=plan.peers_same, neutral=plan.peers_neutral,
    )  # fmt: skip


def _copy(app: App, folder: Path) -> Path:
    """The application's files; the demo's service as a release has it."""
    if app.name == "demo":
        shutil.copytree(ROOT / "demo_stack/service", folder / "photos")
    else:
        shutil.copytree(app.folder, folder)
    return folder


def _seconds_8_endpoints(plan: Plan) -> float:
    """How long both sides of 8 endpoints take when no more layouts are needed."""
    with ExitStack() as stack:
        config, root = _ready(plan.apps[-1], stack)
        some = config.endpoints
        eight = tuple(
            replace(some[n % len(some)], name=f"{n} {some[n % len(some)].name}") for n in range(8)
        )
        config = replace(config, endpoints=eight)
        workshop = stack.enter_context(open_workshop())
        bench = _bench(config, workshop)
        for side in ("base", "head"):
            shutil.copytree(root, workshop.root / f"side-{side}")
        begun = time.monotonic()
        for side in ("base", "head"):
            bench.begin(side)
        for side in ("base", "head"):
            bench.count(side, [one.name for one in eight], range(config.layouts))
        return time.monotonic() - begun


def _answer(parts: Parts, plan: Plan) -> dict[str, object]:
    """Of the parts that are done; `missing` names the others."""
    tries = [*parts.done("same"), *parts.done("neutral")]
    found = [Found(**one) for rows in parts.done("planted") for one in rows]
    shares = {}
    for size in plan.sizes:
        of_size = [one for one in found if abs(one.size / size - 1) < 0.3]
        shares[f"{size * 100:g}"] = (
            sum(one.found for one in of_size) / len(of_size) if of_size else None
        )
    seen = [one for one in found if one.found]
    seconds = [one for rows in parts.done("seconds") for one in rows]
    answer: dict[str, object] = {
        "name": "gate",
        "pairs": sum(pairs for pairs, _ in tries),
        "aa_false": sum(alarms for _, alarms in tries),
        "found": shares,
        "planted": len(found),
        "function_named": sum(one.named for one in seen) / len(seen) if seen else None,
        "seconds_8_endpoints": round(seconds[0], 1) if seconds else None,
        "peers": next((one for rows in parts.done("peers") for one in rows), {}),
    }
    return answer | ({"missing": parts.missing} if parts.missing else {})


def _say(words: str) -> None:
    print(f"gate: {words}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
