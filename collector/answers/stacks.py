"""From stack ids in the store to the stacks themselves."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from collector.answers.rows import values_of
from collector.store import reads
from collector.store.store import Store
from profiler.calltree import Stack

__all__ = ["stack_index"]

#: What a sample shows whose stack's frames were not stored (its batch was rejected or is late).
UNKNOWN = Stack(("(unknown):stack not stored",), (1,))


def stack_index(store: Store, samples: Sequence[pa.Table]) -> tuple[dict[int, int], list[Stack]]:
    """Number of each stack_id in the returned list of stacks."""
    ids = np.unique(np.concatenate([one["stack_id"].to_numpy() for one in samples])).tolist()
    rows = reads.stacks(store, ids)
    columns = (_frames(rows["frames"]), _lists(rows["origins"]))
    found = {
        key: Stack(frames, origins)
        for key, frames, origins in zip(values_of(rows["stack_id"]), *columns, strict=True)
    }
    return {key: at for at, key in enumerate(ids)}, [found.get(key, UNKNOWN) for key in ids]


def _frames(column: pa.ChunkedArray) -> list[tuple[str, ...]]:
    """Of each stack; a name is made once, however many stacks it is in."""
    whole = column.combine_chunks()
    names = whole.values.dictionary_encode()
    words = np.array(names.dictionary.to_pylist(), dtype=np.object_)
    return _cut(np.take(words, np.asarray(names.indices)).tolist(), whole.offsets)


def _lists(column: pa.ChunkedArray) -> list[tuple[int, ...]]:
    whole = column.combine_chunks()
    return _cut(whole.values.to_numpy().tolist(), whole.offsets)


def _cut(values: list[Any], offsets: pa.Array) -> list[tuple[Any, ...]]:
    ends = offsets.to_pylist()
    return [tuple(values[start:end]) for start, end in pairwise(ends)]
