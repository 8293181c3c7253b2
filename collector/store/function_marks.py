"""Which computations of functions count: a mark is written once all rows of a version are stored.

Samples and stacks that come after their step has closed make it stale, before they are
acknowledged: a question then reads that step raw, until it is computed anew. So whatever is killed
when, a question has each acknowledged sample once.
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from collector.store.engine import Engine
from collector.store.function_plan import STEP_MS, Mark
from collector.store.texts import query_text

__all__ = ["CLOSED_AFTER_MS", "FunctionMarks"]

#: Samples of a step come until so long after its end; those that are later are late.
CLOSED_AFTER_MS = 120_000
#: Samples whose frames a stack brings: a flush before it, and until it is sent anew.
STACK_BEFORE_MS, STACK_AFTER_MS = 120_000, 4_200_000
#: A process begins so far above what the last one marked: it has used fewer without a mark.
VERSIONS_OF_A_PROCESS = 1_000_000
Integers = npt.NDArray[np.int64]


class FunctionMarks:
    """Those of one store. Safe to use from many threads; a database has one collector.

    `computing`: held by who computes, one at a time.
    """

    def __init__(self, engine: Engine, clock: Callable[[], float]) -> None:
        self._engine, self._clock = engine, clock
        self.computing = threading.Lock()
        self._lock = threading.Lock()
        self._last = 0
        self._stale: set[int] = set()  # steps that are known to be

    def late(self, table: str, batches: Iterable[pa.Table]) -> None:
        """Rows of these batches are stored: what they are late for is stale.

        Raises StoreError; the batches must not be acknowledged then.
        """
        times = [rows["ts_ms"].to_numpy().astype(np.int64) for rows in batches]
        if table in ("stack_samples", "stacks") and times:
            self._late(table == "stacks", np.concatenate(times))

    def _late(self, are_stacks: bool, times: Integers) -> None:
        now_ms = int(self._clock() * 1000)
        starts = np.unique(times // STEP_MS * STEP_MS)
        if are_stacks:
            starts = _around(times, now_ms)
        late = starts[starts + STEP_MS + CLOSED_AFTER_MS <= now_ms]
        if not late.size:
            return
        # All of it, so that no computation begins between a mark and what is known of it.
        with self._lock:
            new = [start for start in late.tolist() if start not in self._stale]
            if new:
                self._write(STEP_MS, dict.fromkeys(new, self._version(1)), is_stale=True)
                self._stale.update(new)

    def begin(self, length_ms: int, starts: Sequence[int]) -> dict[int, int]:
        """By start a version of its own for a computation, and the number after it for another
        form of the same. What comes from now on for these steps makes them stale."""
        with self._lock:
            if length_ms == STEP_MS:
                self._stale.difference_update(starts)
            first = self._version(2 * len(starts))
            return {start_ms: first + 2 * at for at, start_ms in enumerate(starts)}

    def done(self, length_ms: int, versions: Mapping[int, int]) -> None:
        """By start the version that counts from now on: all of its rows are stored."""
        self._write(length_ms, versions, is_stale=False)

    def read(self, from_ms: int, to_ms: int) -> dict[tuple[int, int], Mark]:
        """The newest mark of each step and hour that starts in these times."""
        window = {"from_ms": from_ms, "to_ms": to_ms}
        found = self._engine.anywhere().select(query_text("function_marks"), window)
        columns = (found[name].to_pylist() for name in found.column_names)
        return {
            (length_ms, start_ms): Mark(newest, bool(is_stale))
            for length_ms, start_ms, newest, is_stale in zip(*columns, strict=True)
        }

    def _version(self, n: int) -> int:
        """The first of n that are higher than all before, whichever process had them and whether it
        marked them or not. With the lock held."""
        if not self._last:
            found = self._engine.anywhere().select(query_text("function_version"), {})
            first = int(found["newest"][0].as_py()) + VERSIONS_OF_A_PROCESS
            self._write(0, {0: first}, is_stale=True)
            self._last = first
        first = self._last + 1
        self._last += n
        return first

    def _write(self, length_ms: int, versions: Mapping[int, int], *, is_stale: bool) -> None:
        n = len(versions)
        rows = pa.table(
            {
                "length_ms": np.full(n, length_ms, np.uint32),
                "start_ms": np.array([*versions], np.uint64),
                "version": np.array([*versions.values()], np.uint64),
                "is_stale": np.full(n, is_stale, np.uint8),
            }
        )
        token = f"functions-{length_ms}-{min(versions.values())}"
        self._engine.anywhere().insert("function_marks", rows, token)


def _around(times: Integers, now_ms: int) -> Integers:
    """Starts of the steps whose samples may be of stacks that were sent at these times."""
    first = int(times.min() - STACK_BEFORE_MS) // STEP_MS * STEP_MS
    last = min(int(times.max()) + STACK_AFTER_MS, now_ms)
    return np.arange(max(first, 0), last, STEP_MS, dtype=np.int64)
