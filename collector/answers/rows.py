"""Rows of a table as dicts, column by column: many times as fast as arrow's own, value by value."""

from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

__all__ = ["rows_of", "values_of"]


def rows_of(table: pa.Table) -> list[dict[str, Any]]:
    """What `table.to_pylist()` returns; rows of a word share it."""
    names = table.column_names
    columns = zip(*(values_of(table[name]) for name in names), strict=True)
    return [dict(zip(names, row, strict=True)) for row in columns]


def values_of(column: pa.ChunkedArray) -> list[Any]:
    """What `column.to_pylist()` returns, of numbers, words and lists of words without nulls."""
    whole = column.combine_chunks()
    if pa.types.is_list(whole.type):
        values, ends = _plain(whole.values), whole.offsets.to_pylist()
        return [values[start:end] for start, end in pairwise(ends)]
    return _plain(whole)


def _plain(values: pa.Array) -> list[Any]:
    if not pa.types.is_string(values.type):
        numbers: list[Any] = values.to_numpy(zero_copy_only=False).tolist()
        return numbers
    found = values.dictionary_encode()
    words = np.array([*found.dictionary.to_pylist(), None], dtype=np.object_)[:-1]
    texts: list[Any] = np.take(words, np.asarray(found.indices)).tolist()
    return texts
