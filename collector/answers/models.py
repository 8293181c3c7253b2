"""CPU time is compared within one processor model only: the same work takes others other times."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

__all__ = ["same_models"]


def same_models(requests: Sequence[pa.Table]) -> tuple[list[pa.Table], str, tuple[str, ...]]:
    """(rows in units other than cpu_ns and of models that both sides know, why CPU time cannot be
    compared or "", notes). `requests`: those of both sides."""
    seen = [_models(table) for table in requests]
    if seen[0] == seen[1] or not all(seen):
        return list(requests), "", ()
    common = seen[0] & seen[1]
    if not common:
        a, b = (", ".join(sorted(models)) for models in seen)
        why = f"side a ran on {a}, side b on {b}: CPU time of other processors cannot be compared"
        return list(requests), why, ()
    left_out = ", ".join(sorted((seen[0] | seen[1]) - common))
    note = f"only processors that both sides ran on are compared; left out: {left_out}"
    return [_of(table, common) for table in requests], "", (note,)


def _models(table: pa.Table) -> set[str]:
    timed = np.array(table["cost_unit"].to_pylist(), dtype=np.str_) == "cpu_ns"
    models = np.array(table["cpu_model"].to_pylist(), dtype=np.str_)
    return set(models[timed].tolist())


def _of(table: pa.Table, models: set[str]) -> pa.Table:
    known = np.isin(np.array(table["cpu_model"].to_pylist(), dtype=np.str_), sorted(models))
    timed = np.array(table["cost_unit"].to_pylist(), dtype=np.str_) == "cpu_ns"
    return table.filter(pa.array(known | ~timed))
