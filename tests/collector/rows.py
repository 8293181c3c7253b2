"""Realistic rows for every table, from a seed: what an agent would send.

`START_MS` is noon UTC, so that hours of rows stay within one day.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from profiler.vocabulary import WIRE

START_MS = 1_790_337_600_000  # 2026-09-25T12:00:00Z
SERVICE = "instagram"
ENDPOINTS = ("GET /api/v1/feed/", "GET /api/v1/media/<id>/", "POST /api/v1/like/", "task feed.fan")
#: CPU of one request of each endpoint, ns
CPU_NS = (6_000_000, 1_500_000, 900_000, 4_000_000)
HOSTS = ("web-1", "web-2")
STACKS = (
    ("service.wsgi:application", "feed.views:feed", "feed.ranking:rank"),
    ("service.wsgi:application", "feed.views:feed", "feed.ranking:rank", "feed.ranking:score"),
    ("service.wsgi:application", "feed.views:feed", "json.encoder:encode"),
    ("service.wsgi:application", "media.views:detail", "django.db:execute"),
)

SAME_FOR_ALL = {
    "region": "eu",
    "cpu_model": "Test CPU",
    "runtime": "cpython 3.11.2",
    "weight": 1.0,
}

ARROW = {
    "u8": pa.uint8(),
    "u16": pa.uint16(),
    "u32": pa.uint32(),
    "u64": pa.uint64(),
    "f32": pa.float32(),
    "f64": pa.float64(),
    "str": pa.string(),
    "text": pa.string(),
    "u8[]": pa.list_(pa.uint8()),
    "u32[]": pa.list_(pa.uint32()),
    "u64[]": pa.list_(pa.uint64()),
    "str[]": pa.list_(pa.string()),
}
EMPTY: dict[str, Any] = {"str": "", "text": "", "u8[]": [], "u32[]": [], "u64[]": [], "str[]": []}


def table_of(table: str, rows: int, **columns: Any) -> pa.Table:
    """A batch of `table`: the columns given (a value for all rows, or one a row), zero elsewhere.

    A list or array is one value a row; for list columns give a list of lists.
    """
    arrays = {}
    for column in WIRE[table]:
        value = columns.pop(column.name, EMPTY.get(column.type, 0))
        if column.name == "service" and value == "":
            value = SERVICE
        whole = isinstance(value, str | int | float) or (column.type.endswith("[]") and not value)
        values = [value] * rows if whole else value
        arrays[column.name] = pa.array(values, ARROW[column.type])
    assert not columns, f"not columns of {table}: {sorted(columns)}"
    return pa.table(arrays)


def request_rows(
    n: int,
    seed: int,
    *,
    start_ms: int = START_MS,
    span_ms: int = 600_000,
    release: str | Sequence[str] = "r1",
    hosts: Sequence[str] = HOSTS,
    service: str = SERVICE,
    feed_factor: float = 1.0,
    wall_factor: float = 1.0,
    error_share: float = 0.01,
    killed_share: float = 0.002,
    cost_unit: str = "cpu_ns",
    ring_id: int | None = None,
) -> pa.Table:
    """`n` finished requests over `span_ms`; `feed_factor` multiplies the feed's CPU."""
    rng = np.random.default_rng(seed)
    endpoint = rng.choice(len(ENDPOINTS), n, p=(0.4, 0.3, 0.2, 0.1))
    host = rng.integers(0, len(hosts), n)
    worker = rng.integers(1, 3, n)
    clock = np.array(CPU_NS)[endpoint] * rng.lognormal(0, 0.15, n)
    clock = np.where(endpoint == 0, clock * feed_factor, clock)
    db_ns = rng.lognormal(14.5, 0.6, n)
    kind = np.where(endpoint == 3, "task", "http")
    draw = rng.random(n)
    outcome = np.where(
        draw < killed_share, "killed", np.where(draw < killed_share + error_share, "error", "ok")
    )
    status = np.where(outcome == "error", 500, 200) * (kind == "http") * (outcome != "killed")
    releases = [release] if isinstance(release, str) else list(release)
    return table_of(
        "requests",
        n,
        ts_ms=np.sort(rng.integers(start_ms, start_ms + span_ms, n)),
        service=service,
        host=[hosts[i] for i in host],
        ring_id=(host * 10 + worker + 1000 * seed) if ring_id is None else ring_id,
        seq=np.arange(1, n + 1),
        pid=1000 + host * 10 + worker,
        worker=worker,
        worker_req=np.arange(1, n + 1) // 4 + 1,
        worker_age_s=rng.integers(0, 600, n),
        release=[releases[i] for i in rng.integers(0, len(releases), n)],
        endpoint=[ENDPOINTS[i] for i in endpoint],
        kind=kind,
        status=status,
        outcome=outcome,
        wall_ns=((clock + db_ns) * wall_factor).astype(np.uint64),
        cost=clock.astype(np.uint64),
        cost_unit=cost_unit,
        task_clock_ns=clock.astype(np.uint64),
        ctx_switches=rng.integers(0, 5, n),
        db_ns=db_ns.astype(np.uint64),
        db_calls=rng.integers(0, 6, n),
        cache_ns=rng.integers(0, 400_000, n),
        cache_calls=rng.integers(0, 4, n),
        gc_ns=rng.integers(0, 50_000, n),
        statement_fps=[[11, 12]] * n,
        statement_calls=[[2, 1]] * n,
        statement_ns=[[900_000, 100_000]] * n,
        flags=[["new_ranker=on"]] * n,
        trace_id=[f"{i:032x}" for i in range(n)],
        user_hash=rng.integers(1, 500, n),
        error_fp=np.where(outcome == "error", 77, 0),
        **SAME_FOR_ALL,
    )


def sample_rows(
    n: int,
    seed: int,
    *,
    start_ms: int = START_MS,
    span_ms: int = 600_000,
    release: str = "r1",
    hosts: Sequence[str] = HOSTS,
    service: str = SERVICE,
    shares: Sequence[float] = (0.3, 0.4, 0.2, 0.1),
    contended: int = 0,
) -> pa.Table:
    """`n` rows of on-CPU samples over STACKS (ids from 1), in sampling windows of 10 s."""
    rng = np.random.default_rng(seed)
    stack = rng.choice(len(STACKS), n, p=shares)
    samples = rng.integers(1, 20, n)
    ts_ms = rng.integers(start_ms, start_ms + span_ms, n) // 10_000 * 10_000
    return table_of(
        "stack_samples",
        n,
        ts_ms=np.sort(ts_ms.clip(start_ms)),
        service=service,
        host=[hosts[i] for i in rng.integers(0, len(hosts), n)],
        region="eu",
        ring_id=1,
        pid=1000,
        worker=1,
        release=release,
        endpoint=[ENDPOINTS[1] if i == 3 else ENDPOINTS[0] for i in stack],
        stack_id=stack + 1,
        samples=samples,
        weight_s=samples * 0.05,
        window_ms=10_000,
        late_ns=0,
        contended=contended,
    )


def stack_rows(*, start_ms: int = START_MS, service: str = SERVICE) -> pa.Table:
    """The stacks that `sample_rows` speaks of."""
    return table_of(
        "stacks",
        len(STACKS),
        ts_ms=start_ms,
        service=service,
        host=HOSTS[0],
        stack_id=list(range(1, len(STACKS) + 1)),
        frames=[list(frames) for frames in STACKS],
        lines=[[10 * (i + 1) for i in range(len(frames))] for frames in STACKS],
        origins=[[0 if "." in f and "json" not in f else 2 for f in frames] for frames in STACKS],
    )


def function_rows(versions: Sequence[int], *, start_ms: int = START_MS) -> pa.Table:
    """One function of a step or hour, in these versions, as the store computes it."""
    n = len(versions)
    return pa.table(
        {
            "day": pa.array([start_ms // 86_400_000] * n, pa.int32()).cast(pa.date32()),
            "service": [SERVICE] * n,
            "endpoint": [ENDPOINTS[0]] * n,
            "start_ms": pa.array([start_ms] * n, pa.uint64()),
            "version": pa.array(versions, pa.uint64()),
            "release": ["r2"] * n,
            "cell": pa.array([1] * n, pa.uint8()),
            "function": ["feed.ranking:score"] * n,
            "origin": pa.array([0] * n, pa.uint8()),
            "self_weight_s": [0.5 * one for one in versions],
            "weight_s": [1.0 * one for one in versions],
            "self_samples": pa.array(versions, pa.uint64()),
            "samples": pa.array([2 * one for one in versions], pa.uint64()),
        }
    )


def line_rows(
    *,
    function: str = "feed.ranking:score",
    file: str = "/srv/app/feed/ranking.py",
    release: str = "r1",
    lines: Mapping[int, int] | None = None,
    start_ms: int = START_MS,
    service: str = SERVICE,
) -> pa.Table:
    """On-CPU samples of a function's lines, all of them its own."""
    counts = lines or {11: 30, 12: 10}
    return table_of(
        "line_samples",
        len(counts),
        ts_ms=start_ms,
        service=service,
        host=HOSTS[0],
        region="eu",
        release=release,
        endpoint=ENDPOINTS[0],
        function=function,
        file=file,
        line=list(counts),
        samples=list(counts.values()),
        self_samples=list(counts.values()),
        weight_s=[count * 0.05 for count in counts.values()],
    )


def statement_rows(*, start_ms: int = START_MS) -> pa.Table:
    """The statements that `request_rows` speaks of."""
    texts = ["SELECT * FROM media WHERE id = %s", "SELECT 1"]
    return table_of("statements", 2, ts_ms=start_ms, host="web-1", fingerprint=[11, 12], text=texts)


def error_rows(n: int, *, start_ms: int = START_MS) -> pa.Table:
    """`n` occurrences of one error."""
    return table_of(
        "errors",
        n,
        ts_ms=[start_ms + i for i in range(n)],
        host="web-1",
        error_fp=77,
        type="ValueError",
        message="bad cursor",
        top_frames=[["feed.views:feed"]] * n,
        release="r1",
        endpoint=ENDPOINTS[0],
        trace_id="0" * 32,
    )


def span_rows(trace_id: str, calls: int = 3, *, start_ms: int = START_MS) -> pa.Table:
    """One request span with `calls` database calls in it, a millisecond each."""
    n = calls + 1
    return table_of(
        "spans",
        n,
        ts_ms=[start_ms + i for i in range(n)],
        host="web-1",
        region="eu",
        trace_id=trace_id,
        span_id=[f"{i + 1:016x}" for i in range(n)],
        parent_id=["", *[f"{1:016x}"] * calls],
        name=[ENDPOINTS[0], *["SELECT * FROM media WHERE id = ?"] * calls],
        kind=["request", *["db"] * calls],
        started_ns=[(start_ms + i) * 1_000_000 for i in range(n)],
        wall_ns=[n * 1_000_000, *[1_000_000] * calls],
        status=[200, *[0] * calls],
        outcome="ok",
        release="r1",
        endpoint=ENDPOINTS[0],
    )


def function_cost_rows(*, start_ms: int = START_MS) -> pa.Table:
    """One profiled request: a view that calls a ranking function ten times."""
    return table_of(
        "function_costs",
        2,
        ts_ms=start_ms,
        host="web-1",
        trace_id="1" * 32,
        release="r1",
        endpoint=ENDPOINTS[0],
        function=["feed.views:feed", "feed.ranking:rank"],
        caller=["", "feed.views:feed"],
        calls=[1, 10],
        cost_self=[1_000_000, 5_000_000],
        cost_inclusive=[6_000_000, 5_000_000],
        cost_unit="cpu_ns",
    )


def metric_rows(
    name: str,
    values: Sequence[float],
    *,
    start_ms: int = START_MS,
    step_ms: int = 5_000,
    host: str = "web-1",
    unit: str = "",
    labels: Sequence[str] = (),
    source: str = "host",
    service: str = SERVICE,
    kind: str = "gauge",
) -> pa.Table:
    """One metric of one host, a value every `step_ms`."""
    return table_of(
        "metrics",
        len(values),
        ts_ms=[start_ms + i * step_ms for i in range(len(values))],
        service=service,
        host=host,
        name=name,
        kind=kind,
        unit=unit,
        labels=[list(labels)] * len(values),
        value=list(values),
        source=source,
    )


def deploy_rows(
    release: str, previous: str = "", *, ts_ms: int = START_MS, service: str = SERVICE
) -> pa.Table:
    """One deploy."""
    return table_of(
        "changes",
        1,
        ts_ms=ts_ms,
        service=service,
        kind="deploy",
        release=release,
        previous=previous,
        commits=[["0123abc"]],
        changed_functions=[["feed.ranking:score"]],
        note="rolling restart",
    )


def limit_rows(
    what: str, count: int, *, ts_ms: int = START_MS, host: str = "web-1", where: str = "agent"
) -> pa.Table:
    """A limit that was hit `count` times."""
    return table_of("limits", 1, ts_ms=ts_ms, host=host, where=where, what=what, count=count)


def alert_rows(
    alert_id: str, state: str, *, ts_ms: int = START_MS, json: str = "{}", reason: str = ""
) -> pa.Table:
    """One event of an alert."""
    return table_of(
        "alert_events", 1, ts_ms=ts_ms, id=alert_id, state=state, by="evaluator", reason=reason,
        json=json,
    )  # fmt: skip
