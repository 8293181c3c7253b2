"""From stack ids in the store to the stacks themselves."""

from collections.abc import Sequence

import pyarrow as pa

from collector.store import reads
from collector.store.store import Store
from profiler.calltree import Stack

__all__ = ["stack_index"]

#: What a sample shows whose stack's frames were not stored (its batch was rejected or is late).
UNKNOWN = Stack(("(unknown):stack not stored",), (1,))


def stack_index(store: Store, samples: Sequence[pa.Table]) -> tuple[dict[int, int], list[Stack]]:
    """Number of each stack_id in the returned list of stacks."""
    ids = sorted({key for one in samples for key in one["stack_id"].unique().to_pylist()})
    rows = reads.stacks(store, ids)
    columns = (rows[name].to_pylist() for name in ("stack_id", "frames", "origins"))
    found = {
        key: Stack(tuple(frames), tuple(origins))
        for key, frames, origins in zip(*columns, strict=True)
    }
    return {key: at for at, key in enumerate(ids)}, [found.get(key, UNKNOWN) for key in ids]
