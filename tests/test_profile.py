"""A deep profile on demand: command, collector, agent, ring, worker, and all the way back."""

import contextlib
import json
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import pytest

from tests.probe.apps import profiled_app
from tests.probe.serving import BIN, UWSGI, environment, free_port, get, process, server, wait_for

ROOT = Path(__file__).parents[1]
ENDPOINT = "GET /work/<number>"
REQUESTS = 6


@contextlib.contextmanager
def platform(tmp_path, ring_dir):
    """A collector and an agent in processes of their own; gives the collector's URL."""
    data, port = tmp_path / "data", free_port()
    env = environment(ring_dir)
    serve = [
        sys.executable, "-m", "dynoscope", "serve", "--data", str(data), "--port", str(port),
        "--no-bundled-rules",
    ]  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    agent = [
        sys.executable, "-m", "dynoscope", "agent", "run", "--url", url, "--ring-dir",
        str(ring_dir), "--spool", str(tmp_path / "spool"), "--statsd-port", "0", "--flush-s",
        "0.5", "--token-file", str(data / "ingest.token"),
    ]  # fmt: skip
    with server(serve, env, port, cwd=ROOT), process(agent, env, cwd=ROOT):
        yield url


@contextlib.contextmanager
def traffic(port):
    """Requests, one after the other, until the end; gives what they were answered."""
    stop, answers = threading.Event(), []

    def ask():
        while not stop.is_set():
            answers.append(get(port, "/work/3"))
            answers.append(get(port, "/idle"))
            stop.wait(0.05)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield answers
    finally:
        stop.set()
        thread.join(30)


def profile(tmp_path, url, *more):
    data = tmp_path / "data"
    command = [
        sys.executable, "-m", "dynoscope", "profile", ENDPOINT, "--requests", str(REQUESTS),
        "--url", url, "--token-file", str(data / "read.token"), "--admin-token-file",
        str(data / "admin.token"), *more,
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=ROOT)


def endpoints(tmp_path, url):
    token = (tmp_path / "data" / "read.token").read_text().strip()
    asked = urllib.request.Request(
        f"{url}/v1/endpoints", headers={"Authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(asked, timeout=20) as answer:
        return [row["endpoint"] for row in json.load(answer)["data"]]


def uwsgi(port):
    return [
        *UWSGI, "--http-socket", f"127.0.0.1:{port}", "--processes", "1", "--module",
        "profiled_app:app", "--py-call-osafterfork", "--import", "dynoscope_probe.uwsgi",
    ]  # fmt: skip


def wsgiref(port):
    serve = (
        "import dynoscope_probe, profiled_app; from wsgiref.simple_server import make_server; "
        f"make_server('127.0.0.1', {port}, dynoscope_probe.wsgi(profiled_app.app)).serve_forever()"
    )
    return [str(BIN / "python"), "-c", serve]


@pytest.mark.parametrize("argv", [uwsgi, wsgiref])
def test_a_profile_on_demand_comes_back(tmp_path, argv):
    ring_dir, port = tmp_path / "rings", free_port()
    with (
        platform(tmp_path, ring_dir) as url,
        server(argv(port), environment(ring_dir), port),
        traffic(port) as answers,
    ):
        wait_for(lambda: ENDPOINT in endpoints(tmp_path, url), "the endpoint")
        told = profile(tmp_path, url, "--json")
        assert told.returncode == 0, told.stderr
        shown = profile(tmp_path, url)
    assert {status for status, _ in answers} == {200}
    found = json.loads(told.stdout)["data"]
    assert found["requests"] >= REQUESTS
    assert found["unit"] == "cpu_ns"
    assert "profiled_app:tiny" in shown.stdout
    by_name = {row["function"]: row for row in found["functions"]}
    tiny = by_name["profiled_app:tiny"]
    assert tiny["calls"] == profiled_app.TINY_CALLS
    assert [row["caller"] for row in tiny["callers"]] == ["profiled_app:many_tiny"]
    assert by_name["builtins:len"]["calls"] >= profiled_app.LENGTHS
    loop, many = by_name["profiled_app:plain_loop"], by_name["profiled_app:many_tiny"]
    assert loop["cost_inclusive"] > many["cost_inclusive"]


def test_an_unknown_endpoint_is_one_sentence(tmp_path):
    with platform(tmp_path, tmp_path / "rings") as url:
        told = profile(tmp_path, url, "--service", "shop")
    assert told.returncode == 2
    assert "shop has had no requests of 'GET /work/<number>' within a day" in told.stderr
