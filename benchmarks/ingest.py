"""Rows a second through HTTP into an engine, against a direct insert of the same blocks.

For chDB and for a ClickHouse server, three engines each: behind the collector, behind a process
that inserts the same Arrow blocks itself (same tables, views and settings, as many threads), and
the same without the roll-up views. They take turns, all others stopped; ratios are paired by block.
Then 1,000 agents flush to the collector as they would, and wait where they are told to. Where
others use the machine, too, `cpu_ratio` (CPU of a direct insert over that through HTTP, engine
included) is the steadier number.
"""

import json
import logging
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import click
import numpy as np
import pyarrow as pa
from rich.console import Console
from rich.table import Table

from benchmarks.ingesting.agents import Fleet, Seen
from benchmarks.ingesting.lanes import (
    DIRECT,
    HTTP,
    WITHOUT_VIEWS,
    HttpLane,
    Lane,
    Turn,
    lanes,
    peak_rss_bytes,
    running,
    turn,
)
from benchmarks.ingesting.rows import FLUSH_S, flush, request_rows, stream
from benchmarks.measuring.paired import median_interval, ratios
from benchmarks.measuring.rounds import interleaved
from benchmarks.overhead.servers import BenchError

#: As many threads as the collector lets batches in at once.
THREADS = 4
BLOCKS = 8
AGENTS = 1_000
FLUSHES = 60
#: New stacks come with every n-th flush.
STACKS_EVERY = 12
#: Requests, samples and metrics; and stacks.
BATCHES_A_FLUSH = 3 + 1 / STACKS_EVERY
SEED = 5
EMBEDDED, SERVER = "embedded", "server"


@dataclass(frozen=True, slots=True)
class Plan:
    """`batches` of `rows` each a turn, `blocks` turns of each; how long the agents send."""

    rows: int
    batches: int
    blocks: int
    agents_s: float


FULL = Plan(rows=10_000, batches=24, blocks=15, agents_s=60)
QUICK = Plan(rows=10_000, batches=4, blocks=6, agents_s=12)


@dataclass(frozen=True, slots=True)
class Found:
    """One engine: turns by lane; what the agents saw; the most memory that the collector held."""

    turns: dict[str, list[Turn]]
    seen: Seen
    rss_bytes: int
    turn_rows: int


@click.command(help=(__doc__ or "").partition("\n")[0])
@click.option("--quick", is_flag=True, help="A shorter run of the same experiment, within 120 s.")
@click.option("--agents", default=AGENTS, show_default=True, help="How many agents send.")
def main(quick: bool, agents: int) -> None:
    """Print a table, then the JSON object as the last line."""
    logging.getLogger("clickhouse_driver").setLevel(logging.CRITICAL)  # servers that still start
    console, plan = Console(), QUICK if quick else FULL
    try:
        found = {}
        for name in (EMBEDDED, SERVER):
            found[name] = _engine(name, plan, agents, console)
            console.print(f"{name}: {_engine_json(found[name], agents, plan.agents_s)}")
    except BenchError as error:
        click.echo(f"ingest: {error}", err=True)
        sys.exit(2)
    line = as_json(found, agents, plan.agents_s)
    console.print(_table(line))
    print(json.dumps(line))


def _engine(name: str, plan: Plan, agents: int, console: Console) -> Found:
    rng, start_ms = np.random.default_rng(SEED), _recent_ms()
    tables = [request_rows(rng, plan.rows, f"web-{at}", start_ms) for at in range(BLOCKS)]
    with tempfile.TemporaryDirectory(prefix="ingest-") as made:
        folder = Path(made)
        _write_blocks(folder / "blocks", tables)
        bodies = [stream(table) for table in tables]
        console.print(f"{name}: starting a collector and two direct inserts")
        with lanes(folder, bodies, server=name == SERVER) as found:
            for lane in found.values():
                turn(lane, THREADS, THREADS, "warm")
            console.print(f"{name}: taking turns, {plan.blocks} blocks")
            turns = _turns(plan, found)
            through = found[HTTP]
            assert isinstance(through, HttpLane)
            console.print(f"{name}: {agents} agents for {plan.agents_s:.0f} s")
            with running(through):
                fleet = Fleet(through.port, through.token, agents, _flushes(rng, start_ms), SEED)
                seen = fleet.run(plan.agents_s)
            return Found(turns, seen, peak_rss_bytes(through), plan.rows * plan.batches)


def _turns(plan: Plan, found: dict[str, Lane]) -> dict[str, list[Turn]]:
    turns: dict[str, list[Turn]] = {name: [] for name in found}
    for block, name in interleaved([*found], plan.blocks, 1, SEED):
        turns[name].append(turn(found[name], plan.batches, THREADS, f"turn{block}"))
    return turns


def _recent_ms() -> int:
    """Some minutes ago, so that all rows of a flush lie within one UTC day."""
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    today_ms = int(midnight.timestamp() * 1000)
    recent_ms = int(time.time() * 1000) - 300_000
    return recent_ms if recent_ms >= today_ms else today_ms - 600_000


def _write_blocks(folder: Path, tables: Sequence[pa.Table]) -> None:
    """With the columns that the store adds: what HTTP pays for, a direct insert has already."""
    folder.mkdir()
    for at, table in enumerate(tables):
        days = pa.array(table["ts_ms"].to_numpy() // 86_400_000, pa.int32()).cast(pa.date32())
        block = table.append_column("day", days)
        block = block.append_column("batch_id", pa.array([f"block-{at}"] * table.num_rows))
        block = block.append_column("cell", pa.array([at] * table.num_rows, pa.uint8()))
        path = str(folder / f"{at}.arrow")
        with pa.OSFile(path, "wb") as out, pa.ipc.new_stream(out, block.schema) as writer:
            writer.write_table(block)


def _flushes(rng: np.random.Generator, start_ms: int) -> list[list[tuple[str, int, bytes]]]:
    found = []
    for at in range(FLUSHES):
        tables = flush(rng, f"web-{at}", start_ms)
        if at % STACKS_EVERY:
            del tables["stacks"]
        found.append([(name, one.num_rows, stream(one)) for name, one in tables.items()])
    return found


def as_json(found: dict[str, Found], agents: int, agents_s: float) -> dict[str, Any]:
    """The benchmark's last line. Its own numbers are those of the embedded engine."""
    engines = {name: _engine_json(one, agents, agents_s) for name, one in found.items()}
    own = engines[EMBEDDED]
    kept = ("rows_per_s", "raw_rows_per_s", "ratio", "rss_mb")
    return {"name": "ingest", **{name: own[name] for name in kept}, "engines": engines}


def _engine_json(found: Found, agents: int, agents_s: float) -> dict[str, Any]:
    walls = {name: [one.wall_s for one in turns] for name, turns in found.turns.items()}
    cpus = {name: [one.cpu_s for one in turns] for name, turns in found.turns.items()}
    wall = median_interval(ratios(walls[DIRECT], walls[HTTP]))
    cpu = median_interval(ratios(cpus[DIRECT], cpus[HTTP]))
    waits = np.array(found.seen.waits_s or [float("nan")])
    return {
        **{
            f"{word}rows_per_s": round(found.turn_rows / median(walls[name]))
            for word, name in (("", HTTP), ("raw_", DIRECT), ("no_views_", WITHOUT_VIEWS))
        },
        "ratio": round(wall.value, 3),
        "ratio_interval": [round(wall.low, 3), round(wall.high, 3)],
        "cpu_ratio": round(cpu.value, 3),
        "cpu_ratio_interval": [round(cpu.low, 3), round(cpu.high, 3)],
        "cpu_us_per_row": {
            name: round(1e6 * median(cpus[name]) / found.turn_rows, 2) for name in found.turns
        },
        "views_cpu_share": round(
            1 - median(ratios(cpus[WITHOUT_VIEWS], cpus[DIRECT])), 3
        ),
        "rss_mb": round(found.rss_bytes / 1e6, 1),
        "agents": {
            "agents": agents,
            "batches_per_s": round(found.seen.batches / agents_s, 1),
            "wanted_batches_per_s": round(agents / FLUSH_S * BATCHES_A_FLUSH, 1),
            "rows_per_s": round(found.seen.rows / agents_s, 1),
            "flushes_in_time": round(found.seen.flushes / (agents * agents_s / FLUSH_S), 3),
            "ack_s_p50": round(float(np.quantile(waits, 0.5)), 3),
            "ack_s_p99": round(float(np.quantile(waits, 0.99)), 3),
            "told_to_wait": sum(found.seen.refused.values()),
        },
    }  # fmt: skip


def _table(line: dict[str, Any]) -> Table:
    table = Table(title="rows a second into requests, with its roll-ups")
    for title in (
        "engine",
        "HTTP",
        "direct",
        "no views",
        "ratio",
        "by CPU",
        "MB",
        "flushes in time",
    ):
        table.add_column(title, justify="left" if title == "engine" else "right")
    for name, one in line["engines"].items():
        table.add_row(
            name, f"{one['rows_per_s']:,}", f"{one['raw_rows_per_s']:,}",
            f"{one['no_views_rows_per_s']:,}", f"{one['ratio']:.2f}", f"{one['cpu_ratio']:.2f}",
            f"{one['rss_mb']:.0f}", f"{one['agents']['flushes_in_time']:.0%}",
        )  # fmt: skip
    return table


if __name__ == "__main__":
    main()
