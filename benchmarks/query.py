"""How long every read of a page takes over a month of a large service, embedded.

30 days of hours and 2 days of minutes of 500 endpoints with Zipf activity, 3 releases live at a
time and 20 in all, 40 functions an endpoint, 64 cells, 1,000 hosts, an hour of raw requests at
1,000 a second, all made in the engine (`--set-up`, kept under .bench/query). growth_10x: the same
reads against a store of a tenth of the endpoints x days, the median over all reads.
"""

import json
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.measuring.rounds import interleaved
from benchmarks.overhead.servers import ROOT
from benchmarks.querying.generate import Size, made
from benchmarks.querying.reads import READS
from collector.store.store import Store, open_store

FOLDER = ROOT / ".bench" / "query"
FULL = Size()
#: A tenth of endpoints x days, of both about the same.
TENTH = replace(FULL, endpoints=158, hour_days=9, minute_days=1)
REPEATS, QUICK_REPEATS = 40, 7
SEED = 6


@click.command(help=(__doc__ or "").partition("\n")[0])
@click.option("--quick", is_flag=True, help="Fewer repeats of the same reads, within 120 s.")
@click.option("--set-up", is_flag=True, help="Only make the stores, where they are not there yet.")
def main(quick: bool, set_up: bool) -> None:
    """Print a table, then the JSON object as the last line."""
    console = Console()
    full = made(FOLDER, "full", FULL, console.print)
    tenth = made(FOLDER, "tenth", TENTH, console.print)
    if set_up:
        return
    repeats = QUICK_REPEATS if quick else REPEATS
    (small_ms, _), (full_ms, rows) = (_measured(path, repeats, console) for path in (tenth, full))
    line = as_json(full_ms, small_ms, rows, _disk_bytes(full))
    console.print(_table(line))
    print(json.dumps(line))


def _measured(data: Path, repeats: int, console: Console) -> tuple[dict[str, list[float]], int]:
    """ms of each read, and the rows that the store holds. The first of each read is not counted."""
    console.print(f"reading {data.name}, {repeats} repeats")
    times_ms: dict[str, list[float]] = {name: [] for name in READS}
    with closing(open_store(data)) as store:
        for block, name in interleaved([*READS], repeats + 1, 1, SEED):
            began_s = time.perf_counter()
            answer = READS[name](store)
            passed_ms = 1000 * (time.perf_counter() - began_s)
            if answer.truncated:
                sys.exit(f"query: {name} was cut: what it took is not what it takes")
            if block:
                times_ms[name].append(passed_ms)
        return times_ms, _rows(store)


def _rows(store: Store) -> int:
    return int(sum(store.query("table_sizes")["rows"].to_pylist()))


def _disk_bytes(data: Path) -> int:
    return sum(path.stat().st_size for path in data.rglob("*") if path.is_file())


def as_json(
    full_ms: dict[str, list[float]], small_ms: dict[str, list[float]], rows: int, disk_bytes: int
) -> dict[str, Any]:
    """The benchmark's last line. `p95_ms` is the slowest read's."""
    reads = {
        name: {
            "p50_ms": round(median(times), 1),
            "p95_ms": round(float(np.quantile(times, 0.95)), 1),
            "growth_10x": round(median(times) / median(small_ms[name]), 2),
        }
        for name, times in full_ms.items()
    }
    slowest = max(reads, key=lambda name: reads[name]["p95_ms"])
    return {
        "name": "query",
        "p95_ms": reads[slowest]["p95_ms"],
        "slowest": slowest,
        "growth_10x": round(median(one["growth_10x"] for one in reads.values()), 2),
        "growth_10x_most": max(one["growth_10x"] for one in reads.values()),
        "rows": rows,
        "disk_gb": round(disk_bytes / 1e9, 2),
        "reads": reads,
    }


def _table(line: dict[str, Any]) -> Table:
    table = Table(title=f"{line['rows']:,} rows, {line['disk_gb']} GB")
    for title in ("read", "p50 ms", "p95 ms", "growth"):
        table.add_column(title, justify="left" if title == "read" else "right")
    for name, one in sorted(line["reads"].items(), key=lambda item: -item[1]["p95_ms"]):
        cells = (f"{one['p50_ms']:.1f}", f"{one['p95_ms']:.1f}", f"{one['growth_10x']:.2f}")
        table.add_row(name, *cells)
    return table


if __name__ == "__main__":
    main()
