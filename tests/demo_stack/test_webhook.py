"""The receiver notes what arrives, as a process of its own."""

import sys
import time
from pathlib import Path

import httpx
import pytest

from demo_stack.ports import choose_ports
from demo_stack.processes import await_ready, end, launch
from demo_stack.servers.platform import receiver
from demo_stack.webhook import read_alerts


@pytest.fixture
def address(tmp_path: Path):
    ports, _ = choose_ports({"webhook": 8740})
    what = receiver(tmp_path, ports["webhook"])
    assert what.argv[0] == sys.executable
    started = launch(what, tmp_path)
    try:
        await_ready(what, started)
        yield f"http://127.0.0.1:{ports['webhook']}/"
    finally:
        end([started])


def test_alerts_are_kept_in_order_with_their_time(tmp_path: Path, address: str):
    assert read_alerts(tmp_path / "alerts.jsonl") == []
    before_ms = time.time_ns() // 1_000_000
    for number in range(3):
        assert httpx.post(address, json={"rule": f"rule-{number}"}).status_code == 204
    alerts = read_alerts(tmp_path / "alerts.jsonl")
    assert [entry["alert"]["rule"] for entry in alerts] == ["rule-0", "rule-1", "rule-2"]
    assert before_ms <= alerts[0]["arrived_ms"] <= alerts[2]["arrived_ms"]


def test_what_is_no_json_is_refused(tmp_path: Path, address: str):
    assert httpx.post(address, content=b"{").status_code == 400
    assert httpx.post(address, content=b"x" * 1_000_001).status_code == 413
    assert read_alerts(tmp_path / "alerts.jsonl") == []
