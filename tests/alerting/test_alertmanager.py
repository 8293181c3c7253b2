"""Debian's Alertmanager takes what we send, and tells it on as one page."""

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from alerting.alertmanager import Alertmanager
from alerting.courier import Courier
from alerting.journal import record_alert
from collector.store.store import Store
from tests.alerting.conftest import Receiver
from tests.alerting.payloads import ALERT, NOW_MS, firing, resolved

PATIENCE_S = 120.0
CONFIGURATION = """\
route: {receiver: hook, group_by: [alertname], group_wait: 0s, group_interval: 1s}
receivers:
  - {name: hook, webhook_configs: [{url: 'URL', send_resolved: true}]}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def alertmanager(tmp_path: Path, receiver: Receiver) -> Iterator[str]:
    """Its address; it tells `receiver`."""
    configuration = tmp_path / "alertmanager.yml"
    configuration.write_text(CONFIGURATION.replace("URL", receiver.url))
    port = free_port()
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            ["prometheus-alertmanager", f"--config.file={configuration}",
             f"--storage.path={tmp_path / 'data'}", f"--web.listen-address=127.0.0.1:{port}",
             "--cluster.listen-address="],
            stdout=log, stderr=log,
        )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        poll(lambda: is_ready(url, process, tmp_path / "log"))
        yield url
    finally:
        process.terminate()
        process.wait(30)


def is_ready(url: str, process: subprocess.Popen, log: Path) -> bool:
    assert process.poll() is None, log.read_text()
    with suppress(httpx.HTTPError):
        return httpx.get(f"{url}/-/ready", timeout=5).is_success
    return False


def poll(holds: Any) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def known(url: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = httpx.get(f"{url}/api/v2/alerts", timeout=20).json()
    return found


def test_an_alert_is_one_alert_there_and_ends_there(alertmanager: str, receiver: Receiver) -> None:
    now_ms = int(time.time() * 1000)
    hook = Alertmanager(alertmanager, timeout_s=20)
    outcome = hook.send([firing(started_ms=now_ms), firing(id="a2", started_ms=now_ms)])
    assert outcome.delivered, outcome
    assert hook.send([firing(started_ms=now_ms)]).delivered  # told again
    there = {one["labels"]["alert_id"]: one for one in known(alertmanager)}
    assert there.keys() == {"a1", "a2"}
    assert there["a1"]["labels"]["alertname"] == "feed-latency"
    assert there["a1"]["annotations"]["label_release"] == "r2"
    poll(lambda: receiver.got)
    over = resolved(started_ms=now_ms) | {"ended_at": firing(started_ms=now_ms)["started_at"]}
    assert hook.send([over]).delivered
    poll(lambda: {one["labels"]["alert_id"] for one in known(alertmanager)} == {"a2"})
    poll(lambda: '"resolved"' in json.dumps(receiver.got))


def test_more_knowledge_is_the_same_alert_and_a_refusal_is_for_good(alertmanager: str) -> None:
    hook = Alertmanager(alertmanager, timeout_s=20)
    now_ms = int(time.time() * 1000)
    hook.send([firing(started_ms=now_ms)])
    more = {**ALERT.labels, "function": "f", "release": "r3"}
    hook.send([firing(started_ms=now_ms, labels=more)])
    (one,) = known(alertmanager)
    assert one["annotations"]["label_function"] == "f"
    outcome = hook.send([firing(rule="", links={"not a name": ""}) | {"id": "\x00"}])
    assert (outcome.delivered, outcome.final) == (False, True)


def test_it_is_told_again_and_again_but_written_down_once(store: Store, receiver: Receiver) -> None:
    hook = Alertmanager(receiver.url.partition("/hook")[0], clock=lambda: NOW_MS / 1000)
    courier = Courier(store, [hook])
    record_alert(store, ALERT, NOW_MS)
    for minute in range(5):
        assert courier.deliver_once(NOW_MS + minute * 60_000) == 0
    assert len(receiver.got) == 5
    assert [one["endsAt"] for one in list[Any](receiver.got[0])] == ["2026-09-25T12:04:00.000Z"]
    rows = store._engine.select("SELECT count() AS n FROM alert_events WHERE state='delivered'", {})
    assert rows["n"].to_pylist() == [1]
