"""The state of every SLO at its newest evaluation in the window."""

from collections.abc import Mapping

from collector.answers.records import Answer, SloState, Window
from collector.store.slo_reads import SloNumber, slo_numbers
from collector.store.store import Store

__all__ = ["slos"]

#: Numbers, six an SLO.
NUMBERS_MAX = 6_000
NOTHING = float("nan")


def slos(store: Store, window: Window) -> Answer[tuple[SloState, ...]]:
    """Burning ones first, then by name. An SLO of several services is one row a service."""
    numbers = slo_numbers(store, from_ms=window.from_ms, to_ms=window.to_ms, limit=NUMBERS_MAX)
    by_slo: dict[tuple[str, str], dict[str, SloNumber]] = {}
    for number in numbers:
        if not _is_complete(number.labels):
            continue
        by_slo.setdefault((number.labels["slo"], number.service), {})[number.name] = number
    services = {service for _, service in by_slo if service}
    states = [
        _state(slo, service, named, is_alone=len(services) < 2)
        for (slo, service), named in by_slo.items()
        if service or not _elsewhere(slo, by_slo)
    ]
    states.sort(key=lambda state: (state.state != "burning", state.slo))
    return Answer(
        tuple(states),
        unit="ratio",
        truncated=len(numbers) >= NUMBERS_MAX,
        as_of_ms=max((state.ts_ms for state in states), default=0),
    )


def _is_complete(labels: Mapping[str, str]) -> bool:
    """Whether an evaluation wrote it: anyone who may ingest can write metrics."""
    known = all(name in labels for name in ("slo", "endpoint", "good", "state"))
    return known and labels.get("window_s", "").replace(".", "", 1).isdecimal()


def _elsewhere(slo: str, by_slo: Mapping[tuple[str, str], object]) -> bool:
    """Whether a service has this SLO: the row without one is from before it sent anything."""
    return any(name == slo and service for name, service in by_slo)


def _state(slo: str, service: str, named: Mapping[str, SloNumber], *, is_alone: bool) -> SloState:
    newest = max(named.values(), key=lambda number: number.ts_ms)

    def value(name: str) -> float:
        return named[name].value if name in named else NOTHING

    def count(name: str) -> int:
        return round(named[name].value) if name in named else 0

    return SloState(
        slo=slo if is_alone or not service else f"{slo} ({service})",
        endpoint=newest.labels["endpoint"],
        objective=value("slo_objective_ratio"),
        sli=value("slo_sli_ratio"),
        total=count("slo_total"),
        bad=count("slo_bad_total"),
        budget_left=value("slo_budget_left_ratio"),
        burn_rate=value("slo_burn_rate"),
        window_s=float(newest.labels["window_s"]),
        state=newest.labels["state"],
        good=newest.labels["good"],
        ts_ms=newest.ts_ms,
        service=service,
    )
