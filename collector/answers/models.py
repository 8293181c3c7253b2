"""CPU time is compared within one processor model only: the same work takes others other times."""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

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


def _models(requests: pa.Table) -> set[str]:
    timed = requests.filter(pc.equal(requests["cost_unit"], "cpu_ns"))
    return set(timed["cpu_model"].unique().to_pylist())


def _of(table: pa.Table, models: set[str]) -> pa.Table:
    known = pc.is_in(table["cpu_model"], pa.array(sorted(models), table["cpu_model"].type))
    return table.filter(pc.or_(known, pc.not_equal(table["cost_unit"], "cpu_ns")))
