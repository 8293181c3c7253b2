"""Every read that a page makes, as the page makes it."""

from collections.abc import Callable
from typing import Any

from benchmarks.querying.generate import NOW_MS, SERVICE
from collector.answers.alerts import alerts
from collector.answers.changes import changes
from collector.answers.compare import compare
from collector.answers.endpoints import endpoints
from collector.answers.flamegraph import flamegraph
from collector.answers.functions import functions
from collector.answers.health import health
from collector.answers.hosts import hosts
from collector.answers.records import Answer
from collector.answers.series import series
from collector.answers.services import services
from collector.answers.sides import Side, parse_side
from collector.answers.slos import slos
from collector.answers.windows import parse_window
from collector.store.store import Store

__all__ = ["READS", "Read"]

Read = Callable[[Store], Answer[Any]]
#: Of middling traffic.
ENDPOINT = "GET /api/v1/things20/<int:id>/"


def _reads() -> dict[str, Read]:
    found: dict[str, Read] = {
        "services": services,
        "health": lambda store: health(store, _back("-1h")),
        "slos": lambda store: slos(store, _back("-1h")),
        "alerts 24 h": lambda store: alerts(store, _back("-24h")),
        "changes 30 d": lambda store: changes(store, _back("-30d"), SERVICE),
        "hosts 1 h": lambda store: hosts(store, _back("-1h"), SERVICE),
        "functions of one 1 h": lambda store: functions(
            store, _back("-1h"), service=SERVICE, endpoint=ENDPOINT
        ),
        "functions of one 30 d": lambda store: functions(
            store, _back("-30d"), service=SERVICE, endpoint=ENDPOINT
        ),
        "flame of one 1 h": lambda store: flamegraph(
            store, _all("-1h"), service=SERVICE, endpoint=ENDPOINT
        ),
        "flame of all 1 h": lambda store: flamegraph(store, _all("-1h"), service=SERVICE),
        "compare one": lambda store: compare(
            store, _release("r18"), _release("r19"), service=SERVICE, endpoint=ENDPOINT
        ),
        "compare all": lambda store: compare(
            store, _release("r18"), _release("r19"), service=SERVICE
        ),
    }
    for start in ("-1h", "-24h", "-7d", "-30d"):
        found[f"endpoints {start[1:]}"] = _endpoints(start)
        found[f"series of all {start[1:]}"] = _series(start, "")
        found[f"series of one {start[1:]}"] = _series(start, ENDPOINT)
    return found


def _endpoints(start: str) -> Read:
    return lambda store: endpoints(store, _back(start), SERVICE)


def _series(start: str, endpoint: str) -> Read:
    return lambda store: series(store, _back(start), SERVICE, endpoint)


def _back(start: str) -> Any:
    return parse_window(start, "now", NOW_MS)


def _all(start: str) -> Side:
    window = _back(start)
    return Side("all", "", "", "", window.from_ms, window.to_ms)


def _release(name: str) -> Side:
    return parse_side(f"release:{name}", _back("-24h"))


READS = _reads()
