"""The questions of the read API: a line a question, with how each parameter is read."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

from collector.answers.advice import advice
from collector.answers.alerts import alerts
from collector.answers.canary import canary
from collector.answers.capacity import capacity
from collector.answers.changes import changes
from collector.answers.compare import compare
from collector.answers.endpoints import endpoints
from collector.answers.errors import errors
from collector.answers.flags import flags
from collector.answers.flamegraph import SHARE_MIN, flamegraph
from collector.answers.functions import functions
from collector.answers.health import health
from collector.answers.hosts import hosts
from collector.answers.metrics import metric, metrics
from collector.answers.profiles import profiles
from collector.answers.records import Answer, Window
from collector.answers.series import series
from collector.answers.services import services
from collector.answers.sides import Side, parse_side
from collector.answers.slos import slos
from collector.answers.source import source
from collector.answers.sources.places import Places
from collector.answers.windows import parse_window
from collector.errors import BadQuestion
from collector.store.retention import KEEP_DAYS
from collector.store.store import Store
from profiler.canary_records import CanaryLimits

__all__ = ["Asked", "Parameter", "Question", "questions"]

TEXT_CHARACTERS_MAX = 4_096


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it came in: the words of its query string, and when."""

    store: Store
    words: Mapping[str, str]
    now_ms: int

    def text(self, name: str) -> str:
        """A word's text; empty where it is not given."""
        value = self.words.get(name, "")
        if len(value) > TEXT_CHARACTERS_MAX:
            raise BadQuestion(f"{name} is longer than {TEXT_CHARACTERS_MAX} characters.")
        return value


@dataclass(frozen=True, slots=True)
class Parameter:
    """How a parameter is read, and the words that it is read from; `needed`: all of those."""

    read: Callable[[Asked], Any]
    words: tuple[str, ...]
    needed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """`ask(store, **{name: value})` for each of `parameters`."""

    ask: Callable[..., Answer[Any]]
    parameters: Mapping[str, Parameter]


def questions(
    *,
    warmup_requests: int = 200,
    warmup_s: int = 120,
    keep: Mapping[str, int] = KEEP_DAYS,
    server_cost_per_year: float = 0.0,
    places: Places | None = None,
) -> dict[str, Question]:
    """Every question by its name: GET /v1/<name>."""
    one = {"window": WINDOW, "service": SERVICE, "endpoint": ENDPOINT}
    two = {"service": SERVICE, "endpoint": ENDPOINT}
    compared = partial(
        compare,
        warmup_requests=warmup_requests,
        warmup_s=warmup_s,
        server_cost_per_year=server_cost_per_year,
    )
    swept = partial(flags, warmup_requests=warmup_requests, warmup_s=warmup_s)
    return {
        "advice": Question(advice, {"window": WINDOW, "service": SERVICE}),
        "alerts": Question(alerts, {"window": WINDOW, "state": STATE}),
        "canary": Question(
            partial(canary, warmup_requests=warmup_requests, warmup_s=warmup_s),
            {"window": WINDOW, **two, **CANARY},
        ),
        "capacity": Question(capacity, {**one, "limit_ms": LIMIT_MS, "share": SHARE}),
        "changes": Question(changes, {"window": WINDOW, "service": ANY_SERVICE}),
        "compare": Question(compared, {"a": _side("a"), "b": _side("b"), **two}),
        "endpoints": Question(endpoints, {"window": WINDOW, "service": SERVICE}),
        "errors": Question(errors, {"window": WINDOW, "service": ANY_SERVICE}),
        "flags": Question(swept, one),
        "flamegraph": Question(
            flamegraph, {"a": _side_or("a", _all), "b": _side_or("b"), **two, **TREE}
        ),
        "functions": Question(functions, {**one, "release": RELEASE}),
        "health": Question(partial(health, keep=keep), {"window": WINDOW}),
        "hosts": Question(hosts, {"window": WINDOW, "service": ANY_SERVICE}),
        "metric": Question(
            metric, {"window": WINDOW, "service": ANY_SERVICE, "metric": ONE_METRIC}
        ),
        "metrics": Question(metrics, {"window": WINDOW, "service": ANY_SERVICE}),
        "profiles": Question(profiles, {**one, "endpoint": ONE_ENDPOINT, "release": RELEASE}),
        "series": Question(series, one),
        "services": Question(services, {}),
        "slos": Question(slos, {"window": WINDOW}),
        "source": Question(
            partial(source, places=places),
            {
                "a": _side_or("a", _all),
                "b": _side_or("b"),
                **two,
                "function": ONE_FUNCTION,
                "was": WAS,
            },
        ),
    }


def _window(asked: Asked) -> Window:
    """The last hour where from and to are not given."""
    return parse_window(asked.text("from") or "-1h", asked.text("to") or "now", asked.now_ms)


def _service(asked: Asked) -> str:
    """The only service where it is not given."""
    if given := asked.text("service"):
        return given
    known = [row.service for row in services(asked.store).data]
    if len(known) > 1:
        raise BadQuestion(f"service is needed: one of {', '.join(known)}.")
    return known[0] if known else ""


def _all(asked: Asked) -> Side:
    window = _window(asked)
    return Side("all", "", "", "", window.from_ms, window.to_ms)


def _side(name: str) -> Parameter:
    def read(asked: Asked) -> Side:
        if not asked.text(name):
            raise BadQuestion(f"{name} is needed, such as {name}=release:r1.")
        return parse_side(asked.text(name), _window(asked))

    return Parameter(read, (name, "from", "to"), needed=(name,))


def _side_or(name: str, otherwise: Callable[[Asked], Side] | None = None) -> Parameter:
    def read(asked: Asked) -> Side | None:
        if asked.text(name):
            return parse_side(asked.text(name), _window(asked))
        return otherwise(asked) if otherwise else None

    return Parameter(read, (name, "from", "to"))


def _number(name: str, default: float, low: float, high: float) -> Parameter:
    """A number between two others."""

    def read(asked: Asked) -> float:
        text = asked.text(name)
        try:
            value = float(text) if text else default
        except ValueError:
            value = high
        if not low < value < high:
            raise BadQuestion(f"{name} is {text!r}: give a number between {low:g} and {high:g}.")
        return value

    return Parameter(read, (name,))


def _needed(name: str) -> Parameter:
    def read(asked: Asked) -> str:
        if not asked.text(name):
            raise BadQuestion(f"{name} is needed, such as {name}=r1.")
        return asked.text(name)

    return Parameter(read, (name,), needed=(name,))


def _limits(asked: Asked) -> CanaryLimits:
    return CanaryLimits(*(one.read(asked) for one in RISES.values()))


def _text(name: str) -> Parameter:
    return Parameter(lambda asked: asked.text(name), (name,))


WINDOW = Parameter(_window, ("from", "to"))
SERVICE = Parameter(_service, ("service",))
ANY_SERVICE = _text("service")
ENDPOINT = _text("endpoint")
ONE_ENDPOINT = replace(ENDPOINT, needed=("endpoint",))
RELEASE = _text("release")
ONE_FUNCTION = replace(_text("function"), needed=("function",))
ONE_METRIC = replace(_text("metric"), needed=("metric",))
WAS = _text("was")
STATE = _text("state")
LIMIT_MS = _number("limit_ms", 500.0, 0.0, 1e6)
SHARE = _number("share", 0.99, 0.0, 1.0)
RISES = {
    f"max_{name}_rise": _number(f"max_{name}_rise", limit, -1e-9, 10.0)
    for name, limit in asdict(CanaryLimits()).items()
}
CANARY = {
    "release": _needed("release"),
    "control": _needed("control"),
    "for_s": _number("for_s", 600.0, 29.999, 86_400.001),
    "limits": Parameter(_limits, tuple(RISES)),
}
TREE = {
    "function": _text("function"),
    "view": _text("view"),
    "fold": _text("fold"),
    "share_min": _number("share_min", SHARE_MIN, -1e-9, 1.0),
}
