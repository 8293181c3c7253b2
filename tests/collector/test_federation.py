"""GET /metrics/federate, as prometheus-client reads it and as a real Prometheus scrapes it."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families

from collector.federation import EDGES_S, federation_routes
from collector.meters import Meters
from collector.store.errors import QueryStopped
from collector.tokens import load_or_make_tokens
from tests.collector import rows
from tests.collector.arrow import stream
from tests.collector.rows import START_MS
from tests.test_serve import free_port

DAY_MS = 86_400_000
EVIL = 'feed "a\\b"\nc'
BATCHES = (
    rows.request_rows(900, 1, wall_factor=20.0),
    rows.request_rows(300, 2, release="r2", cost_unit="instructions"),
    rows.request_rows(50, 3, service=EVIL),
)


@pytest.fixture(scope="module", autouse=True)
def filled(store):
    for at, batch in enumerate(BATCHES):
        store.insert("requests", batch, f"b{at}")
    store.insert("requests", rows.request_rows(40, 9, start_ms=START_MS - DAY_MS), "yesterday")


def scrape(site):
    answer = site.client.get("/metrics/federate", headers=site.bearer("read"))
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    return {family.name: family for family in text_string_to_metric_families(answer.text)}


def key(sample) -> tuple[str, ...]:
    return tuple(sample.labels[name] for name in ("service", "endpoint", "release", "cost_unit"))


def expected(value) -> dict[tuple[str, ...], float]:
    """Sums of today's rows by series, in plain loops."""
    sums: dict[tuple[str, ...], float] = {}
    for batch in BATCHES:
        for row in batch.to_pylist():
            name = (row["service"], row["endpoint"], row["release"], row["cost_unit"])
            sums[name] = sums.get(name, 0.0) + value(row)
    return sums


def of(family, suffix, **labels):
    found = [s for s in family.samples if s.name == f"{family.name}{suffix}"]
    return {key(s): s.value for s in found if labels.items() <= s.labels.items()}


def alive(row) -> bool:
    return bool(row["outcome"] != "killed")


def test_every_series_is_the_sum_of_todays_rows(site):
    found = scrape(site)
    failed = expected(lambda row: row["status"] >= 500 or row["outcome"] in ("error", "killed"))
    cost = expected(lambda row: row["cost"] * alive(row))
    wall = expected(lambda row: row["wall_ns"] / 1e9 * alive(row))
    assert of(found["dynoscope_endpoint_requests"], "_total") == expected(lambda row: 1)
    assert of(found["dynoscope_endpoint_errors"], "_total") == failed
    assert of(found["dynoscope_endpoint_cost"], "_total") == pytest.approx(cost)
    assert of(found["dynoscope_endpoint_wall_seconds"], "_sum") == pytest.approx(wall)
    assert of(found["dynoscope_endpoint_wall_seconds"], "_count") == expected(alive)
    assert EVIL in {name[0] for name in of(found["dynoscope_endpoint_requests"], "_total")}


@pytest.mark.parametrize("edge_s", EDGES_S)
def test_buckets_are_counted_exactly(site, edge_s):
    family = scrape(site)["dynoscope_endpoint_wall_seconds"]
    below = expected(lambda row: alive(row) and row["wall_ns"] < edge_s * 1e9)
    assert of(family, "_bucket", le=str(edge_s)) == below


def test_what_is_past_the_limit_is_left_out_and_told(store):
    def clock() -> float:
        return START_MS / 1000 + 3600

    small, meters = Flask("small"), Meters()
    small.register_blueprint(federation_routes(store, meters, clock, rows_max=5))
    text = small.test_client().get("/metrics/federate").text
    found = {family.name: family for family in text_string_to_metric_families(text)}
    kept = of(found["dynoscope_endpoint_requests"], "_total")
    everything = sorted(expected(lambda row: 1).values(), reverse=True)
    assert sorted(kept.values(), reverse=True) == everything[:5]
    assert found["dynoscope_federate_left_out"].samples[0].value == len(everything) - 5
    meters.store_limits(store, clock)
    hits = store._engine.select("SELECT what FROM limits WHERE `where` = 'collector'", {})
    assert hits["what"].to_pylist() == ["federated_rows"]


def test_who_may_and_what_a_busy_store_says(site, store, monkeypatch):
    assert site.client.get("/metrics/federate").status_code == 401
    assert site.client.get("/metrics/federate", headers=site.bearer("ingest")).status_code == 403

    def stopped(*_: object) -> None:
        raise QueryStopped("too long")

    monkeypatch.setattr(store._engine, "select", stopped)
    answer = site.client.get("/metrics/federate", headers=site.bearer("read"))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")


@contextmanager
def running(command: list[str], log: Path) -> Iterator[subprocess.Popen[str]]:
    """A process until the end of the block; its words are in `log`."""
    with (
        log.open("w") as words,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=words, text=True) as process,
    ):
        try:
            yield process
        finally:
            process.terminate()


def asked(address: str, wanted):
    """Ask until the answer is the wanted one."""
    until_s = time.monotonic() + 120
    while True:
        try:
            found = wanted(httpx.get(address, timeout=10).json())
        except (httpx.HTTPError, ValueError):
            found = None
        if found:
            return found
        assert time.monotonic() < until_s, f"no such answer from {address}"
        time.sleep(0.2)


def test_a_real_prometheus_scrapes_it(tmp_path):
    tokens = load_or_make_tokens(tmp_path / "data")
    collector = [sys.executable, "-m", "tests.collector.serving", str(tmp_path / "data")]
    with running(collector, tmp_path / "collector.log") as served:
        assert served.stdout is not None
        port = served.stdout.readline().split()[1]
        for at, batch in enumerate(BATCHES):
            sent = httpx.put(
                f"http://127.0.0.1:{port}/v1/batches/b{at}?table=requests",
                content=stream(batch),
                headers={"Authorization": f"Bearer {tokens.ingest}"},
                timeout=60,
            )
            assert sent.status_code == 204
        own = free_port()
        settings = tmp_path / "prometheus.json"  # YAML holds JSON
        job = {
            "job_name": "dynoscope",
            "metrics_path": "/metrics/federate",
            "authorization": {"credentials_file": str(tmp_path / "data" / "read.token")},
            "static_configs": [{"targets": [f"127.0.0.1:{port}"]}],
        }
        whole = {"global": {"scrape_interval": "1s"}, "scrape_configs": [job]}
        settings.write_text(json.dumps(whole))
        prometheus = [
            "prometheus", f"--config.file={settings}", f"--web.listen-address=127.0.0.1:{own}",
            f"--storage.tsdb.path={tmp_path / 'tsdb'}",
        ]  # fmt: skip
        with running(prometheus, tmp_path / "prometheus.log"):
            api = f"http://127.0.0.1:{own}/api/v1/query?query="
            result = asked(
                f"{api}dynoscope_endpoint_requests_total", lambda body: body["data"]["result"]
            )
            slow = asked(
                f"{api}sum(dynoscope_endpoint_wall_seconds_count)"
                '-sum(dynoscope_endpoint_wall_seconds_bucket{le="0.1"})',
                lambda body: body["data"]["result"],
            )
    counted = {key_of(one["metric"]): float(one["value"][1]) for one in result}
    assert counted == expected(lambda row: 1)
    late = sum(expected(lambda row: alive(row) and row["wall_ns"] >= 1e8).values())
    assert float(slow[0]["value"][1]) == late > 0


def key_of(labels) -> tuple[str, ...]:
    return tuple(labels[name] for name in ("service", "endpoint", "release", "cost_unit"))
