"""Stores late samples and rolls functions up, for ever, until it is killed: `DATA FIRST`.

Prints the number of each batch that is acknowledged, from FIRST on.
"""

import sys
from itertools import count
from pathlib import Path

from collector.store.function_rollup import roll_up_functions
from collector.store.store import open_store
from tests.collector.rows import START_MS, sample_rows, stack_rows

STEP_MS = 600_000
NOW_MS = START_MS + 3 * 3_600_000


def batch(number: int):
    """Of two hours, a step after the other; all of its samples are late."""
    at_ms = START_MS + number * 7 % 12 * STEP_MS
    return sample_rows(20, number, start_ms=at_ms, span_ms=STEP_MS)


def main() -> None:
    store = open_store(Path(sys.argv[1]), clock=lambda: NOW_MS / 1000)
    store.insert("stacks", stack_rows(), "stacks")
    for number in count(int(sys.argv[2])):
        store.insert("stack_samples", batch(number), f"b{number}")
        print(number, flush=True)
        roll_up_functions(store, NOW_MS)


if __name__ == "__main__":
    main()
