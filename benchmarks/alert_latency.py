"""From breach to page beside Prometheus with Alertmanager; false and missed pages; 1,000 rules.

Both sides see the same breach of the same service (`paging/race.py` prints what each is told); the
months are simulated (`paging/months.py`), and judged by what judges live data.
"""

import json
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.paging.many import evaluation_s
from benchmarks.paging.months import RATES, Month, simulate
from benchmarks.paging.race import CONFIGURATIONS, OURS, THEIRS, RaceError, race

SEED = 11


@dataclass(frozen=True, slots=True)
class Plan:
    """Breaches, quiet months a rate, requests in the store, evaluations of 1,000 rules."""

    rounds: int
    months: int
    requests: int
    repeats: int


FULL = Plan(rounds=30, months=10, requests=1_000_000, repeats=5)
QUICK = Plan(rounds=3, months=1, requests=100_000, repeats=3)


@click.command(help=(__doc__ or "").partition("\n")[0])
@click.option("--quick", is_flag=True, help="A shorter run of the same experiment, within 120 s.")
def main(quick: bool) -> None:
    """Print what was found, then the JSON object as the last line."""
    console, plan = Console(highlight=False), QUICK if quick else FULL
    for name, text in CONFIGURATIONS.items():
        click.echo(f"--- {name}\n{text}")
    months = [simulate(rate, plan.months, SEED + i) for i, rate in enumerate(RATES)]
    try:
        with tempfile.TemporaryDirectory(prefix="alert-latency-") as folder:
            taken = evaluation_s(1_000, plan.requests, plan.repeats, Path(folder))
        with tempfile.TemporaryDirectory(prefix="alert-latency-", dir="/dev/shm") as folder:
            found = race(plan.rounds, Path(folder), console.print)
    except RaceError as error:
        click.echo(f"alert_latency: {error}", err=True)
        sys.exit(2)
    console.print(_table(found, months, taken))
    print(json.dumps(as_json(found, months, taken)))


def as_json(
    found: dict[str, list[float]], months: list[Month], taken: list[float]
) -> dict[str, Any]:
    """The benchmark's last line."""
    return {
        "name": "alert_latency",
        "p95_s": _p95(found[OURS]),
        "prometheus_p95_s": _p95(found[THEIRS]),
        "median_s": round(median(found[OURS]), 2),
        "prometheus_median_s": round(median(found[THEIRS]), 2),
        "breaches": len(found[OURS]),
        "false_pages": sum(month.false_pages + month.stray_pages for month in months),
        "false_tickets": sum(month.false_tickets for month in months),
        "burns_missed": sum(len(month.missed) for month in months),
        "burns": sum(month.burns for month in months),
        "eval_1000_rules_s": round(median(taken), 2),
        "months": [asdict(month) for month in months],
    }


def _p95(values: list[float]) -> float:
    return round(float(np.percentile(values, 95)), 2)


def _table(found: dict[str, list[float]], months: list[Month], taken: list[float]) -> Table:
    table = Table("what", "measured")
    for side, seconds in found.items():
        table.add_row(
            f"breach to page, {side}",
            f"median {median(seconds):.2f} s, 95% {_p95(seconds):.2f} s, n {len(seconds)}",
        )
    for month in months:
        table.add_row(
            f"{month.per_s:g} requests/s, {month.months} quiet months, {month.burns} burns",
            f"{month.false_pages} false pages, {month.false_tickets} false tickets, "
            f"{len(month.missed)} burns missed {' '.join(month.missed)}, {month.stray_pages} stray",
        )
    table.add_row("1,000 rules", f"median {median(taken):.2f} s of {len(taken)} evaluations")
    return table


if __name__ == "__main__":
    main()
