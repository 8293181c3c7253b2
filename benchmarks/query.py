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
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.measuring.rounds import interleaved
from benchmarks.overhead.servers import ROOT
from benchmarks.querying.generate import Size, made, seconds_of
from benchmarks.querying.reads import READS, Read
from collector.store.store import Store, open_store

FOLDER = ROOT / ".bench" / "query"
FULL = Size()
#: A tenth of endpoints x days, of both about the same.
TENTH = replace(FULL, endpoints=158, hour_days=9, minute_days=1)
REPEATS, QUICK_REPEATS = 40, 7
#: A read that takes longer is asked only this part as often.
SLOW_MS, SLOW_SHARE = 2_000.0, 7
SEED = 6


@dataclass(frozen=True, slots=True)
class Took:
    """What one read took, ms."""

    wall_ms: float
    cpu_ms: float


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
    (small, _), (large, rows) = (_measured(path, repeats, console) for path in (tenth, full))
    line = as_json(large, small, rows, _disk_bytes(full), seconds_of(full))
    console.print(_table(line))
    print(json.dumps(line))


def _measured(data: Path, repeats: int, console: Console) -> tuple[dict[str, list[Took]], int]:
    """What each read took, and the rows that the store holds. The first of each read is not
    counted, unless it is a slow one, which is asked only a few times."""
    console.print(f"reading {data.name}, {repeats} repeats")
    took: dict[str, list[Took]] = {name: [] for name in READS}
    with closing(open_store(data)) as store:
        for block, name in interleaved([*READS], repeats + 1, 1, SEED):
            slow = [one for one in took[name] if one.wall_ms > SLOW_MS]
            if slow and len(slow) >= repeats // SLOW_SHARE:
                continue
            one, truncated = _timed(READS[name], store)
            if truncated:
                sys.exit(f"query: {name} was cut: what it took is not what it takes")
            if block or one.wall_ms > SLOW_MS:
                took[name].append(one)
        return took, _rows(store)


def _timed(read: Read, store: Store) -> tuple[Took, bool]:
    began_s, cpu_s = time.perf_counter(), time.process_time()
    answer = read(store)
    wall_ms = 1000 * (time.perf_counter() - began_s)
    return Took(wall_ms, 1000 * (time.process_time() - cpu_s)), answer.truncated


def _rows(store: Store) -> int:
    return int(sum(store.query("table_sizes")["rows"].to_pylist()))


def _disk_bytes(data: Path) -> int:
    return sum(path.stat().st_size for path in data.rglob("*") if path.is_file())


def as_json(
    large: dict[str, list[Took]],
    small: dict[str, list[Took]],
    rows: int,
    disk_bytes: int,
    made_s: float,
) -> dict[str, Any]:
    """The benchmark's last line. `p95_ms` is the slowest read's; `cpu_ms`: of this process, which
    tells on a busy machine what the reads themselves take."""
    reads = {name: _figures(took, small[name]) for name, took in large.items()}
    slowest = max(reads, key=lambda name: reads[name]["p95_ms"])
    return {
        "name": "query",
        "p95_ms": reads[slowest]["p95_ms"],
        "slowest": slowest,
        "growth_10x": round(median(one["growth_10x"] for one in reads.values()), 2),
        "growth_10x_most": max(one["growth_10x"] for one in reads.values()),
        "rows": rows,
        "disk_gb": round(disk_bytes / 1e9, 2),
        "made_s": round(made_s),
        "reads": reads,
    }


def _figures(large: list[Took], small: list[Took]) -> dict[str, float]:
    walls_ms = [one.wall_ms for one in large]
    p50_ms = median(walls_ms)
    return {
        "p50_ms": round(p50_ms, 1),
        "p95_ms": round(float(np.quantile(walls_ms, 0.95)), 1),
        "cpu_ms": round(median(one.cpu_ms for one in large), 1),
        "growth_10x": round(p50_ms / median(one.wall_ms for one in small), 2),
    }


def _table(line: dict[str, Any]) -> Table:
    title = f"{line['rows']:,} rows, {line['disk_gb']} GB, made in {line['made_s']} s"
    table = Table(title=title)
    for title in ("read", "p50 ms", "p95 ms", "CPU ms", "growth"):
        table.add_column(title, justify="left" if title == "read" else "right")
    for name, one in sorted(line["reads"].items(), key=lambda item: -item[1]["p95_ms"]):
        times = (f"{one[key]:.1f}" for key in ("p50_ms", "p95_ms", "cpu_ms"))
        table.add_row(name, *times, f"{one['growth_10x']:.2f}")
    return table


if __name__ == "__main__":
    main()
