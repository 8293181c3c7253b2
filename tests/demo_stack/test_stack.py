"""Servers start together, restart without losing a request, and end exactly as started."""

import json
import subprocess
import sys
from pathlib import Path

import httpx
import psutil
import pytest

from demo_stack.deploys import deploy
from demo_stack.folders import ring_root
from demo_stack.pace import affordable_rps, feed_wall_s
from demo_stack.ports import is_free
from demo_stack.processes import DemoError, alive
from demo_stack.releases import patch_of
from demo_stack.servers.memcached import memcached
from demo_stack.servers.nginx import nginx
from demo_stack.servers.redis import redis
from demo_stack.stack import Stack
from demo_stack.state import read_state
from demo_stack.traffic import read_summary, traffic
from tests.demo_stack.conftest import TEST_PORTS


def test_everything_runs_and_is_written_down(stack: Stack):
    expected = {"postgres", "redis", "memcached", "rabbitmq", "web-1", "web-2", "jobs", "edge"}
    assert expected <= set(stack.running())
    stored = read_state(stack.home)
    assert stored is not None
    assert stored.processes == stack.state.processes
    assert (stack.home / "secret.key").stat().st_mode & 0o077 == 0
    assert (stack.home / "postgres.password").stat().st_mode & 0o077 == 0


def test_nothing_listens_beyond_loopback(stack: Stack):
    seen = set()
    for started in stack.state.processes:
        first = psutil.Process(started.pid)
        for process in (first, *first.children(recursive=True)):
            listening = [c for c in process.net_connections() if c.status == psutil.CONN_LISTEN]
            assert {c.laddr.ip for c in listening} <= {"127.0.0.1", "::1"}, started.name
            seen |= {c.laddr.port for c in listening}
    servers = ("postgres", "redis", "memcached", "rabbitmq", "web-1", "web-2", "edge")
    assert seen >= {stack.state.ports[name] for name in servers}


def test_servers_that_have_a_user_run_as_it(stack: Stack):
    if psutil.Process().username() != "root":
        users = {psutil.Process(p.pid).username() for p in stack.state.processes}
        assert users == {psutil.Process().username()}
        return
    owners = {"postgres": "postgres", "redis": "redis", "rabbitmq": "rabbitmq"}
    for name, owner in {**owners, "memcached": "memcache"}.items():
        assert psutil.Process(stack.state.process(name).pid).username() == owner


def test_up_twice_says_so(stack: Stack):
    with pytest.raises(DemoError, match=r"is up already: http://127\.0\.0\.1"):
        Stack(stack.home, print).up()


def test_workers_leave_their_requests_in_their_hosts_ring_folder(stack: Stack):
    httpx.get(f"{stack.edge_url()}/healthz")
    for host in stack.hosts:
        assert list((ring_root(stack.home) / host).glob("*.ring"))


def test_rolling_deploy_loses_no_request(stack: Stack):
    before = {name: stack.state.process(name).pid for name in (*stack.hosts, "jobs")}
    rate_rps = affordable_rps(feed_wall_s(stack.edge_url()))
    stack.start(traffic(stack.home, stack.edge_url(), 4, rate_rps, seconds=400))
    deploy(stack, "r2", patch_of("r2"))
    stack.stop("load")
    summary = read_summary(stack.home)
    lines = (stack.home / "load" / "requests.jsonl").read_text().splitlines()
    answers = [json.loads(line) for line in lines]
    assert [answer for answer in answers if not 200 <= answer["status"] < 300] == []
    assert summary["requests"] > 20
    assert (summary["failures"], summary["over_limit"]) == (0, 0)
    assert set(stack.state.releases.values()) == {"r2"}
    for name, pid in before.items():
        process = psutil.Process(stack.state.process(name).pid)
        assert process.pid != pid
        assert process.cwd() == str(stack.home / "releases" / "r2")
        assert process.environ()["DYNOSCOPE_RELEASE"] == "r2"
    with pytest.raises(DemoError, match="release r2 runs already"):
        deploy(stack, "r2", patch_of("r2"))


def test_down_ends_exactly_what_was_started(tmp_path: Path):
    stack = Stack(tmp_path / "demo", print, TEST_PORTS)
    stack.prepare()
    ports = stack.state.ports
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    stranger = Stack(tmp_path / "other", print, TEST_PORTS)
    stranger.prepare()
    stack.start(redis(stack.home, ports["redis"]), memcached(stack.home, ports["memcached"]))
    stranger.prepare()
    stranger.start(redis(stranger.home, stranger.state.ports["redis"]))
    started = list(stack.state.processes)
    try:
        # Another command, later, knows them from the state alone.
        assert Stack(stack.home, print).down() == ()
        assert not any(alive(process) for process in started)
        assert is_free(ports["redis"])
        assert read_state(stack.home) is None
        assert bystander.poll() is None
        assert stranger.running() == ["redis"]
        assert Stack(stack.home, print).down() == ()
    finally:
        bystander.kill()
        bystander.wait()
        stranger.down()
        stack.remove()
        stranger.remove()


def test_a_failed_start_leaves_nothing_running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    stack = Stack(tmp_path / "demo", print, TEST_PORTS)
    started = []

    def start_and_fail() -> None:
        ports = stack.state.ports
        stack.start(redis(stack.home, ports["redis"]))
        started.extend(stack.state.processes)
        # A port that is taken is what can come between the choice of ports and the start.
        stack.start(nginx(stack.home, ports["redis"], [ports["web-1"]]))

    monkeypatch.setattr(stack, "_start_backends", start_and_fail)
    with pytest.raises(DemoError, match=r"edge ended while starting.*Address already in use"):
        stack.up(with_platform=False)
    assert [process.name for process in started] == ["redis"]
    assert not alive(started[0])
    stack.remove()


def test_a_folder_of_something_else_is_neither_used_nor_deleted(tmp_path: Path):
    (tmp_path / "thesis.txt").write_text("mine")
    stack = Stack(tmp_path, print, TEST_PORTS)
    with pytest.raises(DemoError, match="holds something else"):
        stack.up(with_platform=False)
    stack.remove()
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_data_in_use_are_not_deleted(stack: Stack):
    with pytest.raises(DemoError, match="end it before"):
        stack.remove()
    assert stack.running()
