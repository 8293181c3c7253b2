"""How long one evaluation of many rules takes, over a store with data."""

import time
import uuid
from contextlib import closing
from pathlib import Path

import numpy as np
import pyarrow as pa

from alerting.build import build_evaluator
from collector.store.store import open_store
from profiler.wire import SCHEMAS

__all__ = ["evaluation_s"]

ENDPOINTS = 200
HOUR_MS = 3_600_000
#: 2026-09-25T14:00:00Z
NOW_MS = 1_790_344_800_000
GOODS = ("within 500 ms", "status 2xx", "no crash", "status below 500", "within 1 s")


def evaluation_s(rules: int, requests: int, repeats: int, folder: Path) -> list[float]:
    """Seconds of each of `repeats` evaluations of `rules` SLOs over `ENDPOINTS` endpoints."""
    (folder / "rules").mkdir()
    for file in range(0, rules, 100):
        lines = ["slos:"]
        for number in range(file, min(file + 100, rules)):
            endpoint = f"GET /e{number % ENDPOINTS}/"
            good = GOODS[number // ENDPOINTS % len(GOODS)]
            lines.append(
                f"  - {{name: slo-{number}, endpoint: {endpoint}, objective: 99.9%, good: {good}}}"
            )
        (folder / "rules" / f"{file:04d}.yaml").write_text("\n".join(lines) + "\n")
    with closing(open_store(folder / "store")) as store:
        for start in range(0, requests, 50_000):
            n = min(50_000, requests - start)
            store.insert("requests", _requests(start, n, requests), uuid.uuid4().hex)
        evaluator = build_evaluator(store, rules_dir=folder / "rules", bundled=False)
        taken = []
        for repeat in range(repeats):
            began_s = time.perf_counter()
            result = evaluator.evaluate_once(NOW_MS + repeat * 15_000)
            taken.append(time.perf_counter() - began_s)
            assert not result.failures and len(result.slos) == rules, result.failures
    return taken


def _requests(start: int, n: int, total: int) -> pa.Table:
    """Over the last two hours, one in a thousand slow."""
    rng = np.random.default_rng(start)
    number = start + np.arange(n)
    given = {
        "ts_ms": NOW_MS - 2 * HOUR_MS + number * 2 * HOUR_MS // total,
        "service": "many", "host": "one", "release": "r1", "kind": "http", "outcome": "ok",
        "endpoint": pa.array([f"GET /e{i}/" for i in rng.integers(0, ENDPOINTS, n)]),
        "status": 200, "weight": 1.0, "cost_unit": "cpu_ns", "cost": 1_000_000,
        "wall_ns": np.where(rng.random(n) < 0.001, 2_000_000_000, 40_000_000),
        "ring_id": 1, "seq": number + 1,
    }  # fmt: skip
    arrays = []
    for field in SCHEMAS["requests"]:
        value = given.get(field.name)
        if value is None:
            value = [] if pa.types.is_list(field.type) else "" if field.type == pa.string() else 0
        if isinstance(value, np.ndarray | pa.Array):
            arrays.append(pa.array(value).cast(field.type))
        else:
            arrays.append(pa.array([value] * n, field.type))
    return pa.Table.from_arrays(arrays, schema=SCHEMAS["requests"])
