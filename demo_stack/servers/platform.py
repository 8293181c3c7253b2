"""Dynoscope itself: `serve`, one agent a host, and a receiver for its alerts."""

import json
import sys
import time
from pathlib import Path

from demo_stack.processes import DemoError, Launch
from demo_stack.servers.readiness import http_answers

__all__ = ["agent", "receiver", "serve"]

#: As a customer would set it, but for a demo of minutes: short windows, many samples.
AGENT_SETTINGS = ("--rate", "50", "--budget", "10%", "--flush-s", "2", "--window-s", "5")
SERVE_SETTINGS = (
    "--evaluate-every-s", "5", "--settle-s", "4", "--slo-window", "1h",
    "--warmup-requests", "20", "--warmup-s", "5",
)  # fmt: skip


def serve(home: Path, port: int, rules: Path, webhook_port: int) -> Launch:
    """Collector, dashboards and alerting over an embedded store in `home`/data."""
    releases = home / "releases"
    releases.mkdir(exist_ok=True)
    return Launch(
        name="serve",
        argv=[
            _dynoscope(), "serve", "--port", str(port), "--data", str(home / "data"),
            "--rules", str(rules), "--webhook", f"http://127.0.0.1:{webhook_port}/",
            "--source", str(releases), *SERVE_SETTINGS,
        ],
        missing=lambda: http_answers(f"http://127.0.0.1:{port}/readyz"),
        port=port,
        stop_s=30,
    )  # fmt: skip


def agent(
    home: Path, host: str, *, serve_port: int, statsd_port: int, metrics_port: int, ring_dir: Path
) -> Launch:
    """The agent of one host."""
    folder = home / host
    folder.mkdir(exist_ok=True)
    spool = folder / "spool"
    since_ms = time.time_ns() // 1_000_000
    return Launch(
        name=f"agent-{host}",
        argv=[
            _dynoscope(), "agent", "run", "--url", f"http://127.0.0.1:{serve_port}",
            "--host", host, "--ring-dir", str(ring_dir), "--spool", str(spool),
            "--token-file", str(home / "data" / "ingest.token"),
            "--statsd-port", str(statsd_port), "--metrics-port", str(metrics_port),
            *AGENT_SETTINGS,
        ],
        missing=lambda: _no_status(spool / "status.json", since_ms),
    )  # fmt: skip


def receiver(home: Path, port: int) -> Launch:
    """What an on-call tool would be: it notes down every alert that is delivered."""
    return Launch(
        name="webhook",
        argv=[
            sys.executable, "-m", "demo_stack.webhook",
            "--port", str(port), "--out", str(home / "alerts.jsonl"),
        ],
        missing=lambda: http_answers(f"http://127.0.0.1:{port}/"),
        port=port,
    )  # fmt: skip


def _no_status(path: Path, since_ms: int) -> str | None:
    try:
        updated_ms = int(json.loads(path.read_text())["updated_ms"])
    except (OSError, ValueError, KeyError, TypeError):
        updated_ms = 0
    return None if updated_ms >= since_ms else f"the agent has not written {path}"


def _dynoscope() -> str:
    program = Path(sys.executable).parent / "dynoscope"
    if not program.exists():
        raise DemoError(f"{program} is missing: run `make setup`")
    return str(program)
