"""Inserts blocks straight into an engine, with the schema of the store, in a process of its own.

`python -m benchmarks.ingesting.direct BLOCKS DATA|URL [without-views]` reads the Arrow blocks in
the folder BLOCKS, and then for each line `COUNT THREADS NAME` of standard input inserts so many of
them from so many threads; it prints the seconds that took.
"""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa

from collector.store.engine import Engine
from collector.store.migrations import migrate
from collector.store.store import opened_engine

VIEWS = ("endpoint_minutes_view", "host_minutes_view")


def main() -> None:
    """One turn a line."""
    paths = sorted(Path(sys.argv[1]).glob("*.arrow"))
    blocks = [pa.ipc.open_stream(path.read_bytes()).read_all() for path in paths]
    where = sys.argv[2] if "://" in sys.argv[2] else Path(sys.argv[2])
    if isinstance(where, Path):
        where.mkdir(parents=True, exist_ok=True)
    with opened_engine(where) as engine:
        migrate(engine, time.time)
        if len(sys.argv) > 3:
            for view in VIEWS:
                engine.execute(f"DROP TABLE {view}")
        print("ready", flush=True)
        for line in sys.stdin:
            count, threads, name = line.split()
            print(_turn(engine, blocks, int(count), int(threads), name), flush=True)


def _turn(engine: Engine, blocks: list[pa.Table], count: int, threads: int, name: str) -> float:
    with ThreadPoolExecutor(threads) as pool:
        began_s = time.perf_counter()
        done = [
            pool.submit(engine.insert, "requests", blocks[at % len(blocks)], f"{name}-{at}")
            for at in range(count)
        ]
        for one in done:
            one.result()
        return time.perf_counter() - began_s


if __name__ == "__main__":
    main()
