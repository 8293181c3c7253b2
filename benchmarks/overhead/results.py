"""What the turns say: added CPU and throughput ratios with intervals, and their JSON object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from benchmarks.measuring.paired import Estimate, differences, median_interval, ratios
from benchmarks.overhead.measure import TRIVIAL, WORKING, Turns

__all__ = ["Result", "as_json", "results"]

BARE = "bare"
DYNOSCOPE, COMPILED = "dynoscope", "dynoscope compiled"


@dataclass(frozen=True, slots=True)
class Result:
    """One configuration against bare, paired by block."""

    name: str
    #: CPU per request of the trivial view, median over blocks.
    cpu_us: float
    added_us: Estimate
    #: Requests per second over bare's, at full load.
    trivial_ratio: Estimate
    working_ratio: Estimate


def results(turns: dict[tuple[str, str], list[Turns]]) -> list[Result]:
    """Every configuration's result, bare's own included (zeros and ones)."""
    names = dict.fromkeys(name for name, _ in turns)
    cpu = {name: [each.cpu_us for each in turns[name, TRIVIAL]] for name in names}
    rate = {key: [each.rate for each in blocks] for key, blocks in turns.items()}
    return [
        Result(
            name,
            median_interval(cpu[name]).value,
            median_interval(differences(cpu[name], cpu[BARE])),
            median_interval(ratios(rate[name, TRIVIAL], rate[BARE, TRIVIAL])),
            median_interval(ratios(rate[name, WORKING], rate[BARE, WORKING])),
        )
        for name in names
    ]


def as_json(found: list[Result], config: list[str]) -> dict[str, Any]:
    """The benchmark's last line. `added_us` and the ratios are those of the configuration that an
    installation has by itself: compiled where there is a compiled part."""
    by_name = {result.name: result for result in found}
    own = by_name.get(COMPILED, by_name[DYNOSCOPE])
    peers = {
        result.name: _numbers(result)
        for result in found
        if result.name not in (BARE, DYNOSCOPE, COMPILED)
    }
    cheapest = min(peer["added_us"] for peer in peers.values())
    return {
        "name": "probe_overhead",
        **_numbers(own),
        "config": config,
        "bare_us": round(by_name[BARE].cpu_us, 2),
        "pure": _numbers(by_name[DYNOSCOPE]),
        "compiled": _numbers(by_name[COMPILED]) if COMPILED in by_name else None,
        "peers": peers,
        "vs_best_peer": round(own.added_us.value / cheapest, 4),
    }


def _numbers(result: Result) -> dict[str, Any]:
    return {
        "added_us": round(result.added_us.value, 2),
        "added_us_interval": _interval(result.added_us, 2),
        "throughput_ratio": round(result.working_ratio.value, 4),
        "throughput_ratio_interval": _interval(result.working_ratio, 4),
        "trivial_throughput_ratio": round(result.trivial_ratio.value, 4),
    }


def _interval(estimate: Estimate, digits: int) -> list[float]:
    return [round(estimate.low, digits), round(estimate.high, digits)]
