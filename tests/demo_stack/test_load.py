"""The load against a server that shows whether it is open-loop."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from demo_stack.arrivals import rising, schedule
from demo_stack.traffic import read_summary, requests_sent, traffic

SEED, RATE_RPS, SECONDS = 11, 40.0, 1.5


class Holding(ThreadingHTTPServer):
    """Answers nobody before `enough` requests are here."""

    daemon_threads = True
    request_queue_size = 200

    def __init__(self, enough: int) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.enough = threading.Semaphore(0)
        self.paths: list[tuple[str, str]] = []
        self.wanted = enough
        self.counting = threading.Lock()
        self.full = threading.Event()

    def arrived(self, method: str, path: str) -> None:
        with self.counting:
            self.paths.append((method, path))
            if len(self.paths) >= self.wanted:
                self.full.set()
        self.full.wait(60)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Holding

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.arrived(self.command, self.path)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_GET

    def log_message(self, format, *arguments) -> None: ...


def serving(enough: int) -> Holding:
    server = Holding(enough)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def start(home: Path, server: Holding, seconds: float) -> subprocess.Popen[bytes]:
    url = f"http://127.0.0.1:{server.server_port}"
    return subprocess.Popen(traffic(home, url, SEED, RATE_RPS, seconds).argv)


def test_every_request_leaves_though_none_is_answered(tmp_path: Path):
    plan = list(schedule(SEED, RATE_RPS, SECONDS))
    server = serving(enough=len(plan))
    process = start(tmp_path, server, SECONDS)
    assert process.wait(60) == 0
    server.shutdown()
    server.server_close()
    # Had the load waited for answers, the server would have waited for ever.
    assert len(server.paths) == len(plan)
    summary = read_summary(tmp_path)
    assert (summary["requests"], summary["failures"], summary["over_limit"]) == (len(plan), 0, 0)
    lines = (tmp_path / "load" / "requests.jsonl").read_text().splitlines()
    sent = sorted((json.loads(line) for line in lines), key=lambda line: line["planned_s"])
    assert [line["kind"] for line in sent] == [arrival.kind for arrival in plan]
    assert all(line["sent_s"] >= line["planned_s"] - 0.001 for line in sent)
    assert ("GET", "/api/v1/feed/") in server.paths


def test_failures_and_refusals_are_counted(tmp_path: Path):
    server = serving(enough=1)
    server.shutdown()
    server.server_close()
    process = start(tmp_path, server, 0.5)
    assert process.wait(60) == 0
    summary = read_summary(tmp_path)
    assert summary["failures"] == summary["requests"] == len(list(schedule(SEED, RATE_RPS, 0.5)))
    line = json.loads((tmp_path / "load" / "requests.jsonl").read_text().splitlines()[0])
    assert line["status"] == 0


def test_a_ramp_says_at_which_rate_the_limit_was_left(tmp_path: Path):
    server = serving(enough=1)
    url, planned = f"http://127.0.0.1:{server.server_port}", list(rising(SEED, 20, 60, 2))
    for gone in (False, True):
        home = tmp_path / str(gone)
        if gone:
            server.shutdown()
            server.server_close()
        argv = traffic(home, url, SEED, 20, 2, to_rps=60, limit_ms=60_000).argv
        assert subprocess.run(argv, timeout=60).returncode == 0
        summary = read_summary(home)
        assert summary["requests"] == sum(step["requests"] for step in summary["steps"])
        assert summary["requests"] + summary["over_limit"] == len(planned)
        rates = [step["rate_rps"] for step in summary["steps"]]
        assert (summary["to_rps"], rates[0], rates[-1]) == (60, 21.7, 58.3)
        assert summary["p99_left_at_rps"] == (rates[0] if gone else None)


def test_sigterm_ends_it_with_a_summary(tmp_path: Path):
    server = serving(enough=1)
    process = start(tmp_path, server, 600)
    give_up = time.monotonic() + 120
    while requests_sent(tmp_path) < 5 and time.monotonic() < give_up:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGTERM)
    assert process.wait(60) == 0
    server.shutdown()
    server.server_close()
    assert read_summary(tmp_path)["requests"] >= 5


def test_wrong_use_is_refused():
    done = subprocess.run(
        [sys.executable, "-m", "demo_stack.load"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "--url" in done.stderr
