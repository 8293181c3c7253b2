"""Ring details -> tables `spans`, `function_costs`."""

import numpy as np
import pyarrow as pa

from agent.columns import alone, by_id, hex_ids, timely, trace_ids, words
from agent.requests import NS_PER_MS, Identity
from agent.rings import Ring
from agent.slots import Rows, slot_dtype
from agent.tables import table_of
from dynoscope_probe import layout

__all__ = ["detail_tables"]

SPAN_DTYPE = slot_dtype(layout.SPAN, layout.SPAN_FIELDS, layout.DETAIL_BYTES)
FUNCTION_COST_DTYPE = slot_dtype(
    layout.FUNCTION_COST, layout.FUNCTION_COST_FIELDS, layout.DETAIL_BYTES
)


def detail_tables(
    ring: Ring, details: Rows, who: Identity, now_ns: int
) -> tuple[list[tuple[str, pa.Table]], int]:
    """(tables of what these rows of DETAIL_DTYPE are, how many had an impossible time or type)."""
    spans = _of_type(details, layout.DETAIL_SPAN, SPAN_DTYPE, now_ns)
    costs = _of_type(details, layout.DETAIL_FUNCTION_COST, FUNCTION_COST_DTYPE, now_ns)
    tables = []
    if len(spans):
        tables.append(("spans", _span_table(ring, spans, who)))
    if len(costs):
        tables.append(("function_costs", _function_cost_table(ring, costs, who)))
    return tables, len(details) - len(spans) - len(costs)


def _of_type(details: Rows, code: int, dtype: np.dtype[np.void], now_ns: int) -> Rows:
    rows: Rows = details[details["type"] == code].view(dtype)
    right: Rows = rows[timely(rows, now_ns)]
    return right


def _span_table(ring: Ring, spans: Rows, who: Identity) -> pa.Table:
    one = alone(spans)
    columns = {
        **who.columns,
        "ts_ms": spans["started_ns"] // NS_PER_MS,
        "trace_id": trace_ids(spans),
        "span_id": hex_ids(spans["span_id"]),
        "parent_id": hex_ids(spans["parent_id"]),
        "name": by_id([ring], one, spans["name_id"]),
        "kind": words(layout.SPAN_KINDS, spans["kind"]),
        "outcome": words(layout.OUTCOMES, spans["outcome"]),
        "release": ring.string(ring.header.release_id),
        "endpoint": by_id([ring], one, spans["endpoint_id"]),
        **{name: np.ascontiguousarray(spans[name]) for name in ("started_ns", "wall_ns", "status")},
    }
    return table_of("spans", columns)


def _function_cost_table(ring: Ring, costs: Rows, who: Identity) -> pa.Table:
    one = alone(costs)
    columns = {
        **who.columns,
        "ts_ms": costs["started_ns"] // NS_PER_MS,
        "trace_id": trace_ids(costs),
        "release": ring.string(ring.header.release_id),
        "endpoint": by_id([ring], one, costs["endpoint_id"]),
        "function": by_id([ring], one, costs["function_id"]),
        "caller": by_id([ring], one, costs["caller_id"]),
        "cost_unit": words(layout.UNITS, costs["unit"]),
        **{
            name: np.ascontiguousarray(costs[name])
            for name in ("calls", "cost_self", "cost_inclusive")
        },
    }
    return table_of("function_costs", columns)
