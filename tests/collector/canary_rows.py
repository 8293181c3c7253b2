"""A roll-out as rows: r1 on six hosts, then r2 on the first of them."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa

from tests.collector import rows
from tests.collector.arrow import with_column
from tests.collector.rows import SERVICE, START_MS

FOR_S = 600
STARTED_MS = START_MS + FOR_S * 1000
HOSTS = tuple(f"web-{number}" for number in range(1, 7))
EACH = 3_000
MEGABYTE = 1_000_000


def roll_out(
    insert: Callable[[str, pa.Table, str], None],
    *,
    service: str = SERVICE,
    feed_factor: float = 1.0,
    wall_factor: float = 1.0,
    error_share: float = 0.01,
    gone_share: float = 0.0,
    held_mb: float = 100.0,
) -> list[pa.Table]:
    """Rows of requests of both times, as they were inserted."""
    new = {"feed_factor": feed_factor, "wall_factor": wall_factor, "error_share": error_share}
    sent = [
        rows.request_rows(EACH * 6, 1, hosts=HOSTS, service=service),
        rows.request_rows(EACH * 5, 2, hosts=HOSTS[1:], start_ms=STARTED_MS, service=service),
        _gone(_started_anew(canary(service, new)), gone_share),
    ]
    for number, batch in enumerate(sent):
        insert("requests", batch, f"{service}-requests-{number}")
    for number, host in enumerate(HOSTS):
        theirs = host == HOSTS[0]
        then = _memory(host, sent[0], 100.0 + number, service, START_MS)
        now = _memory(
            host, sent[2] if theirs else sent[1], held_mb if theirs else 101.0 + 1.5 * number,
            service, STARTED_MS,
        )  # fmt: skip
        insert("metrics", pa.concat_tables([then, now]), f"{service}-{host}")
    return sent


def canary(service: str, new: dict) -> pa.Table:
    """What the new release serves; its rows are like those of the old one but for `new`."""
    start = {"start_ms": STARTED_MS, "release": "r2", "service": service}
    return rows.request_rows(EACH, 3, hosts=HOSTS[:1], **start, **new)


def _started_anew(batch: pa.Table) -> pa.Table:
    """Its workers are other processes than those before."""
    pids = [pid + 500 for pid in batch["pid"].to_pylist()]
    return with_column(batch, "pid", pids, batch["pid"].type)


def _gone(batch: pa.Table, share: float) -> pa.Table:
    rng = np.random.default_rng(4)
    status = np.array(batch["status"].to_pylist())
    status = np.where((status == 200) & (rng.random(len(status)) < share), 404, status)
    return with_column(batch, "status", status.tolist(), batch["status"].type)


def _memory(host: str, batch: pa.Table, held_mb: float, service: str, start_ms: int) -> pa.Table:
    """What the host's workers in this batch hold, every 5 s."""
    pids = {
        pid
        for name, pid in zip(batch["host"].to_pylist(), batch["pid"].to_pylist(), strict=True)
        if name == host
    }
    readings = [
        rows.metric_rows(
            "worker_rss_bytes", [held_mb * MEGABYTE] * 120, start_ms=start_ms, host=host,
            unit="bytes", labels=[f"pid={pid}", "worker=1"], source="worker", service=service,
        )
        for pid in sorted(pids)
    ]  # fmt: skip
    return pa.concat_tables(readings)
