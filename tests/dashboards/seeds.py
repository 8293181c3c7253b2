"""An hour of a shop's traffic: r1, then r2 that costs its feed 25% more; hostile names among it."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa

from collector.store.store import Store
from tests.collector import rows
from tests.dashboards.records import EVIL

NOW_MS = rows.START_MS + 3_600_000
HALF_MS = 1_800_000
HOSTS = ("web-1", "web-2", "web-3")
SERVICE = rows.SERVICE
FEED = rows.ENDPOINTS[0]
GUILTY = "feed.ranking:score"
EVIL_ENDPOINT = f"GET /{EVIL}/"


def seed(store: Store) -> None:
    middle_ms = rows.START_MS + HALF_MS
    for number, (start_ms, release, factor, shares) in enumerate(
        (
            (rows.START_MS, "r1", 1.0, (0.3, 0.4, 0.2, 0.1)),
            (middle_ms, "r2", 1.25, (0.24, 0.52, 0.16, 0.08)),
        )
    ):
        when = {"start_ms": start_ms, "span_ms": HALF_MS, "release": release, "hosts": HOSTS}
        requests = rows.request_rows(12_000, number + 1, feed_factor=factor, **when)
        store.insert("requests", requests, f"requests-{number}")
        samples = rows.sample_rows(6_000, number + 3, shares=shares, **when)
        store.insert("stack_samples", samples, f"samples-{number}")
    store.insert("stacks", rows.stack_rows(), "stacks")
    store.insert("changes", rows.deploy_rows("r2", "r1", ts_ms=middle_ms), "deploy")
    store.insert("limits", rows.limit_rows("samples late", 12, ts_ms=NOW_MS - 60_000), "limits")
    store.insert("metrics", rows.metric_rows("agent_cpu_share", [0.004]), "metrics")
    store.insert("alert_events", _alert(middle_ms + 120_000), "alert")
    _hostile(store)
    _lines(store)


def _lines(store: Store) -> None:
    """The guilty function's lines on both releases: r2 has a second loop that the dear part is."""
    middle_ms = rows.START_MS + HALF_MS
    for release, start_ms, lines in (
        ("r1", rows.START_MS, {3: 9_000, 4: 21_000}),
        ("r2", middle_ms, {3: 8_000, 4: 20_000, 5: 4_000, 6: 18_000}),
    ):
        part = rows.line_rows(function=GUILTY, release=release, lines=lines, start_ms=start_ms)
        store.insert("line_samples", part, f"lines-{release}")
    evil = rows.line_rows(function=f"m:{EVIL}", release="r2", lines={1: 5}, start_ms=middle_ms)
    store.insert("line_samples", evil, "hostile-lines")


def write_sources(folder: Path) -> None:
    """The source of GUILTY in a folder for each release, markup among it."""
    text = (
        "def score(media):\n    total = 0\n    for one in media:\n        total += one\n"
        f"    return total  # {EVIL}\n"
    )
    again = "        for _ in media:\n            total -= 1\n"
    for release, more in (("r1", ""), ("r2", again)):
        package = folder / release / "feed"
        package.mkdir(parents=True)
        whole = text.replace("    return", f"{more}    return")
        (package / "ranking.py").write_text(whole)


def seed_slo(store: Store) -> None:
    labels = [f"endpoint={FEED}", "good=within 500 ms", "slo=feed-latency", "state=ok"]
    values = {
        "slo_objective_ratio": 0.99,
        "slo_sli_ratio": 0.9987,
        "slo_total": 31_800.0,
        "slo_bad_total": 41.0,
        "slo_budget_left_ratio": 0.87,
        "slo_burn_rate": 0.13,
    }
    for name, value in values.items():
        numbers = rows.metric_rows(
            name,
            [value],
            start_ms=NOW_MS - 5_000,
            labels=[*labels, "window_s=2592000"],
            source="slo",
        )
        store.insert("metrics", numbers, name)


def _hostile(store: Store) -> None:
    """A few requests and samples whose names are markup."""
    requests = rows.request_rows(60, 9, start_ms=NOW_MS - 600_000, release="r2", hosts=HOSTS)
    evil = pa.array([EVIL_ENDPOINT] * requests.num_rows)
    requests = requests.set_column(requests.schema.get_field_index("endpoint"), "endpoint", evil)
    store.insert("requests", requests, "hostile-requests")
    stack = rows.table_of(
        "stacks",
        1,
        ts_ms=rows.START_MS,
        host=HOSTS[0],
        stack_id=[99],
        frames=[["service.wsgi:application", f"m:{EVIL}"]],
        lines=[[1, 2]],
        origins=[[0, 0]],
    )
    store.insert("stacks", stack, "hostile-stack")
    samples = rows.sample_rows(20, 10, start_ms=NOW_MS - 600_000, release="r2", hosts=HOSTS)
    for name, value in (
        ("endpoint", pa.array([EVIL_ENDPOINT] * 20)),
        ("stack_id", pa.array(np.full(20, 99, dtype=np.uint64))),
    ):
        samples = samples.set_column(samples.schema.get_field_index(name), name, value)
    store.insert("stack_samples", samples, "hostile-samples")


def _alert(started_ms: int) -> pa.Table:
    alert = {
        "id": "a1",
        "rule": "cost-between-releases",
        "state": "firing",
        "severity": "ticket",
        "labels": {"service": SERVICE, "endpoint": FEED, "release": "r2"},
        "summary": f"{FEED} costs 25% more CPU per request since r2 {EVIL}",
        "started_ms": started_ms,
        "ended_ms": 0,
        "details": {},
        "links": {
            "compare": f"http://127.0.0.1:8600/compare?service={SERVICE}&a=release%3Ar1&b=release%3Ar2"
        },
    }
    return rows.alert_rows("a1", "firing", ts_ms=started_ms, json=json.dumps(alert))
