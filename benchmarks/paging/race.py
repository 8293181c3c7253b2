"""The same breach, seen by Dynoscope and by Prometheus with Alertmanager: how long until the page.

One service feeds both: the probe's ring and the agent (flush 1 s) on one side, a counter that
Prometheus scrapes every second on the other. Both look at the share of failed requests over 5 s,
every second, against the same 10% (here: ten times the budget of an objective of 99%), and page a
webhook at once. When in each second Prometheus scrapes and when it evaluates hangs on a hash of
its target and of its rules, and stays so: one start is one throw of the dice. So it is started
anew, under other names, every few breaches.
"""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

__all__ = ["CONFIGURATIONS", "OURS", "THEIRS", "RaceError", "race"]

ROOT = Path(__file__).parent.parent.parent
PER_S = 50.0
START_S = 120.0
PAGE_S = 60.0
QUIET_S = 120.0
OURS, THEIRS = "dynoscope", "prometheus"
RULE = "failing"
#: Breaches a start of Prometheus.
START_EVERY = 3

RULES = """\
slos:
  - name: failing
    objective: 99%
    good: status below 500
    window: 1h
    keep_firing_for: 1s
    burn: [{factor: 10, long: 5s, short: 5s, severity: page}]
"""
SERVE = ("--no-bundled-rules", "--evaluate-every-s", "1", "--settle-s", "0")
AGENT = ("--flush-s", "1", "--statsd-port", "0", "--metrics-port", "0")
PROMETHEUS = """\
global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}
rule_files: [rules.yml]
scrape_configs:
  - job_name: service
    static_configs: [{targets: ['127.0.0.1:SERVICE'], labels: {start: 'START'}}]
alerting: {alertmanagers: [{static_configs: [{targets: ['127.0.0.1:ALERTMANAGER']}]}]}
"""
PROMETHEUS_RULES = """\
groups:
  - name: failing-START
    rules:
      - alert: failing
        expr: sum(rate(requests_total{code="500"}[5s])) / sum(rate(requests_total[5s])) > 0.1
        for: 0s
"""
ALERTMANAGER = """\
route: {receiver: hook, group_wait: 0s, group_interval: 1s, repeat_interval: 1h}
receivers: [{name: hook, webhook_configs: [{url: 'HOOK/prometheus', send_resolved: true}]}]
"""
FULL = "sum(count_over_time(requests_total[5s])) >= 10"
CONFIGURATIONS: Mapping[str, str] = {
    "dynoscope serve " + " ".join(SERVE) + " --rules": RULES,
    "dynoscope agent run": " ".join(AGENT),
    "prometheus.yml": PROMETHEUS,
    "rules.yml": PROMETHEUS_RULES,
    "alertmanager.yml": ALERTMANAGER,
}


class RaceError(Exception):
    """One sentence: what did not start, or did not page."""


@dataclass(slots=True)
class _Pages:
    """When each side's newest state arrived, monotonic s."""

    at: dict[tuple[str, str], float] = field(default_factory=dict)

    def take(self, side: str, body: Any) -> None:
        if side == OURS and body["rule"] != RULE:
            return  # how the evaluator itself fares
        state = str(body.get("state") or body.get("status"))
        self.at.setdefault((side, state), time.monotonic())

    def forget(self) -> None:
        self.at = {}


def race(rounds: int, folder: Path, say: Callable[[str], None]) -> dict[str, list[float]]:
    """Seconds from breach to page, by side. Raises RaceError."""
    pages = _Pages()
    found: dict[str, list[float]] = {OURS: [], THEIRS: []}
    rng = random.Random(7)
    with ExitStack() as stack:
        hook = stack.enter_context(_receiver(pages))
        ports = {name: _free_port() for name in ("serve", "service", "prometheus", "alertmanager")}
        _start_ours(stack, folder, hook, ports)
        for start in range(0, rounds, START_EVERY):
            with ExitStack() as peer:
                _start_peer(peer, folder, hook, ports, str(start))
                if not start:  # the first breach warms both up and is not counted
                    _breach(pages, ports["service"], rng)
                for number in range(start, min(start + START_EVERY, rounds)):
                    took = _breach(pages, ports["service"], rng)
                    for side, seconds in took.items():
                        found[side].append(seconds)
                    told = ", ".join(f"{side} {seconds:.2f} s" for side, seconds in took.items())
                    say(f"breach {number + 1}: {told}")
    return found


def _breach(pages: _Pages, port: int, rng: random.Random) -> dict[str, float]:
    """Seconds from one breach to its page, by side; ends when both have seen its end."""
    service = f"http://127.0.0.1:{port}"
    time.sleep(1 + rng.random())  # at any phase of their seconds
    pages.forget()
    began_s = time.monotonic()
    _post(f"{service}/break")
    took = {side: _wait(pages, side, "firing", PAGE_S) - began_s for side in (OURS, THEIRS)}
    _post(f"{service}/mend")
    for side in took:
        _wait(pages, side, "resolved", QUIET_S)
    return took


def _start_ours(stack: ExitStack, folder: Path, hook: str, ports: Mapping[str, int]) -> None:
    """Start the service and all that watches it, wait until its data is there."""
    rings, data, rules = folder / "rings", folder / "data", folder / "rules"
    for each in (rings, rules):
        each.mkdir()
    (rules / "failing.yaml").write_text(RULES)
    python, url = sys.executable, f"http://127.0.0.1:{ports['serve']}"
    serve = [python, "-m", "dynoscope", "serve", "--data", str(data), "--port", str(ports["serve"]),
             *SERVE, "--rules", str(rules), "--webhook", f"{hook}/dynoscope"]  # fmt: skip
    _start(stack, "serve", serve, folder)
    _until(lambda: _answers(f"{url}/readyz"), "dynoscope serve")
    probe = {"DYNOSCOPE_SERVICE": "race", "DYNOSCOPE_RING_DIR": str(rings), "DYNOSCOPE_HOST": "one"}
    command = [python, "-m", "benchmarks.paging.service", str(ports["service"]), str(PER_S)]
    _start(stack, "service", command, folder, probe)
    agent = [python, "-m", "dynoscope", "agent", "run", "--url", url, "--ring-dir", str(rings),
             "--spool", str(folder / "spool"), "--token-file", str(data / "ingest.token"),
             *AGENT]  # fmt: skip
    _start(stack, "agent", agent, folder)
    token = (data / "read.token").read_text().strip()
    _until(lambda: "race" in _get(f"{url}/v1/services", token), "the agent's data in the collector")


def _start_peer(
    stack: ExitStack, folder: Path, hook: str, ports: Mapping[str, int], start: str
) -> None:
    """Start Prometheus and Alertmanager with nothing of before, wait until a breach can be seen."""
    text = PROMETHEUS.replace("SERVICE", str(ports["service"]))
    text = text.replace("ALERTMANAGER", str(ports["alertmanager"])).replace("START", start)
    (folder / "prometheus.yml").write_text(text)
    (folder / "rules.yml").write_text(PROMETHEUS_RULES.replace("START", start))
    (folder / "alertmanager.yml").write_text(ALERTMANAGER.replace("HOOK", hook))
    listen = {name: f"127.0.0.1:{ports[name]}" for name in ("prometheus", "alertmanager")}
    commands = {
        "alertmanager": ["prometheus-alertmanager", f"--config.file={folder}/alertmanager.yml",
                         f"--storage.path={folder}/alertmanager-{start}",
                         "--cluster.listen-address=",
                         f"--web.listen-address={listen['alertmanager']}"],
        "prometheus": ["prometheus", f"--config.file={folder}/prometheus.yml",
                       f"--storage.tsdb.path={folder}/tsdb-{start}",
                       f"--web.listen-address={listen['prometheus']}"],
    }  # fmt: skip
    for name, command in commands.items():
        _start(stack, name, command, folder)
        _until(lambda name=name: _answers(f"http://{listen[name]}/-/ready"), name)  # type: ignore[misc]
    # A window of its own full of samples, as it would have.
    query = f"http://{listen['prometheus']}/api/v1/query?" + urlencode({"query": FULL})
    _until(lambda: '"value"' in _get(query), "Prometheus' data")


def _start(
    stack: ExitStack,
    name: str,
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str] | None = None,
) -> None:
    """In a group of its own; ended with the stack. Its words go to a file."""
    log = stack.enter_context((folder / f"{name}.log").open("w"))
    try:
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **(environment or {})}, stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        raise RaceError(f"{command[0]} does not start ({error}): run .ci/setup") from error
    stack.callback(_end, process)


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait(pages: _Pages, side: str, state: str, seconds: float) -> float:
    """When the page of that state came, monotonic s."""
    end_s = time.monotonic() + seconds
    while (side, state) not in pages.at:
        if time.monotonic() > end_s:
            raise RaceError(f"{side} did not tell of {state} within {seconds:.0f} s")
        time.sleep(0.005)
    return pages.at[side, state]


@contextmanager
def _receiver(pages: _Pages) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            pages.take(self.path.strip("/"), body)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _until(holds: Callable[[], bool], what: str) -> None:
    end_s = time.monotonic() + START_S
    while not holds():
        if time.monotonic() > end_s:
            raise RaceError(f"{what} is not there after {START_S:.0f} s")
        time.sleep(0.1)


def _answers(url: str) -> bool:
    with suppress(urllib.error.URLError, OSError):
        urllib.request.urlopen(url, timeout=5).close()
        return True
    return False


def _get(url: str, token: str = "") -> str:
    asked = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(asked, timeout=30) as answer:
        return str(answer.read().decode())


def _post(url: str) -> None:
    urllib.request.urlopen(urllib.request.Request(url, b""), timeout=10).close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
