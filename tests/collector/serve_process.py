"""A collector in a process of its own, filled with two releases."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from collector.store.store import open_store
from tests.collector import rows
from tests.collector.rows import START_MS

ROOT = Path(__file__).parents[2]
MINUTES = 10


@contextmanager
def seeded_server(data: Path) -> Iterator[list[str]]:
    """Arguments that name the server: --url, --token-file, --window."""
    store = open_store(data)
    try:
        fill(store)
    finally:
        store.close()
    command = [sys.executable, "-m", "tests.collector.serving", str(data)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            word, port = process.stdout.readline().split()
            assert word == "ready"
            yield [
                "--url", f"http://127.0.0.1:{port}",
                "--token-file", str(data / "read.token"),
                "--window", "-24h",
            ]  # fmt: skip
        finally:
            process.terminate()
            process.wait(60)


def fill(store) -> None:
    for at, release in enumerate(("r1", "r2")):
        side = {"release": release, "start_ms": START_MS + at * 600_000}
        requests = rows.request_rows(2_000, at, feed_factor=1.0 + 0.5 * at, **side)
        store.insert("requests", requests, f"b{at}")
        shares = (0.3, 0.4, 0.2, 0.1) if at == 0 else (0.5, 0.25, 0.15, 0.1)
        store.insert("stack_samples", rows.sample_rows(400, at, shares=shares, **side), f"s{at}")
    store.insert("stacks", rows.stack_rows(), "stacks")
    store.insert("function_costs", rows.function_cost_rows(), "costs")
