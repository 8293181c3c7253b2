"""What does each flag value cost per request, and the fleet?"""

import numpy as np

from collector.answers.records import Answer, Window
from collector.answers.sides import Side
from collector.store import flag_reads
from collector.store.reads import side_span
from collector.store.store import Store, truncated
from profiler.flags import FlagSums, flag_costs
from profiler.records import FlagCost

__all__ = ["flags"]


def flags(
    store: Store,
    window: Window,
    *,
    service: str,
    endpoint: str = "",
    warmup_requests: int = 200,
    warmup_s: int = 120,
    budget: float = 0.01,
) -> Answer[tuple[FlagCost, ...]]:
    """Every value of every flag seen, against the flag's control value; dearest for the fleet
    first."""
    rows = flag_reads.flag_sums(
        store, window, service, endpoint, warmup_requests=warmup_requests, warmup_s=warmup_s
    )
    sums = FlagSums(
        flag=np.array(rows["flag"].to_pylist(), dtype=np.str_),
        endpoint=np.array(rows["endpoint"].to_pylist(), dtype=np.str_),
        unit=np.array(rows["cost_unit"].to_pylist(), dtype=np.str_),
        group=rows["user_group"].to_numpy().astype(np.int64),
        requests=rows["n"].to_numpy().astype(np.float64),
        cost=rows["cost_sum"].to_numpy().astype(np.float64),
        users=rows["users"].to_numpy().astype(np.float64),
    )
    # A long window may hold little time in which anything was asked: rates are of that time.
    everyone = Side("all", "", "", "", window.from_ms, window.to_ms)
    first_ms, last_ms = side_span(store, everyone, service, endpoint)
    seconds = max((last_ms - first_ms) / 1000, 1.0)
    found = flag_costs(sums, seconds, budget) if rows.num_rows else []
    return Answer(tuple(found), truncated=truncated(rows), as_of_ms=window.to_ms)
