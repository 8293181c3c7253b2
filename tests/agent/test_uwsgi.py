import os
import re
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from agent.limits import Limits
from agent.uwsgi import NO_SOCKET, UWSGI, read_stats
from agent.uwsgi_master import master_of
from agent.workers import Workers
from tests.agent.processes import CONTAINER, ROOT, until
from tests.privileges import needs_root

PROC = Path("/proc")
UWSGI_BINARY = str(Path(sys.executable).parent / "uwsgi")
INI = """
[uwsgi]
http-socket = 127.0.0.1:{port}
module = tests.agent.targets.uwsgi_app
pythonpath = {root}
home = {prefix}
master = true
processes = 2
need-app = true
listen = 7
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def uwsgi(folder, lines, *options, within=(), arguments=("--ini", "app.ini")):
    """A real uWSGI with two workers that serve; yields its URL."""
    port = free_port()
    ini = INI.format(port=port, root=ROOT, prefix=sys.prefix)
    (folder / "app.ini").write_text(ini + lines)
    (folder / "rings").mkdir()
    command = [*within, UWSGI_BINARY, *arguments, *options]
    environ = {**os.environ, "RINGS": str(folder / "rings"), "PWD": str(folder)}
    with open(folder / "uwsgi.log", "wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env=environ)
    try:
        url = f"http://127.0.0.1:{port}/"
        until(lambda: serves(url))
        yield url
    finally:
        process.terminate()  # brutally: a master takes SIGTERM for a reload
        process.kill()
        process.wait()
        end_the_rest(folder)


def end_the_rest(folder):
    """Workers outlive a killed master for a moment: each is ended by its id, from its ring."""
    for pid in PROC.glob("[0-9]*"):
        try:
            mine = os.readlink(pid / "cwd") == str(folder) and pid.name != str(os.getpid())
            if mine and "uwsgi" in (pid / "comm").read_text():
                os.kill(int(pid.name), 9)
        except OSError:
            continue


def serves(url):
    try:
        return httpx.get(url).is_success
    except httpx.TransportError:
        return False


def views_of(folder, count=2):
    """The workers' views, once both have served."""
    workers = Workers(folder / "rings", PROC)

    def all_there():
        workers.look(1)
        return len(workers.known) == count

    until(all_there)
    return [one.view("h", "") for one in workers.known.values()]


def both_serve(url, folder):
    """Ask, several at once, until both workers have a ring."""
    with httpx.Client() as client:
        until(lambda: client.get(url) and len(os.listdir(folder / "rings")) == 2)


def total(series, name):
    return sum(one.value for one in series if one.name == name)


def values(series, name):
    return {one.labels: one.value for one in series if one.name == name}


SOCKETS = {
    "unix": ("stats = %d%n.stats", "app.stats"),
    "relative": ("stats = app.stats", "app.stats"),
    "tcp": ("where = 127.0.0.1\nstats = %(where):{port}", "127.0.0.1:{port}"),
    "http": ("stats = 127.0.0.1:{port}\nstats-http = true", "http://127.0.0.1:{port}"),
    "environment": ("", "127.0.0.1:{port}"),
}


@pytest.mark.parametrize("kind", SOCKETS)
def test_the_stats_socket_of_a_worker_is_found_and_read(tmp_path, kind, monkeypatch):
    port = free_port()
    line, address = (text.replace("{port}", str(port)) for text in SOCKETS[kind])
    if kind == "environment":
        monkeypatch.setenv("UWSGI_STATS", f":{port}")
    with uwsgi(tmp_path, f"{line}\npy-call-osafterfork = true\n") as url:
        both_serve(url, tmp_path)
        views = views_of(tmp_path)
        source = UWSGI(Limits(), PROC)
        first = source.read(views)
        assert source.failures == {}
        master = source.masters[views[0].ring_id]
        assert master.address.endswith(address.removeprefix("127.0.0.1"))
        assert (master.after_fork, master.sure, master.ini) == (True, True, "app.ini")
        assert values(first, "uwsgi_requests") == {}, "an increase needs a reading before it"
        with httpx.Client() as client:
            for _ in range(20):
                client.get(url)
        series = source.read(views)
        label = f"uwsgi=shop-{master.pid}"
        until(lambda: values(source.read(views), "uwsgi_listen_queue_max") == {(label,): 7})
        assert values(source.read(views), "uwsgi_listen_queue") == {(label,): 0}
    served = values(series, "uwsgi_requests")
    assert sum(served.values()) == 20
    pids = {f"pid={one.pid}" for one in views}
    assert {labels[0] for labels in served} == pids
    assert all(label in one.labels and one.who == views[0].identity for one in series)
    assert values(series, "uwsgi_workers") == {(label,): 2}
    shares = values(series, "uwsgi_busy_share")
    assert len(shares) == 2 and all(0 <= share <= 1 for share in shares.values())
    assert sum(shares.values()) > 0
    for name in ("uwsgi_exceptions", "uwsgi_harakiri", "uwsgi_respawns"):
        assert sum(values(series, name).values()) == 0, name
    assert max(values(series, "uwsgi_avg_rt_us").values()) > 1_000


def test_busy_workers_exceptions_harakiri_and_respawns_are_counted(tmp_path):
    lines = "stats = %d%n.stats\nharakiri = 2\nthreads = 2\nsocket-timeout = 30\n"
    with uwsgi(tmp_path, lines + "py-call-osafterfork = true\n") as url:
        both_serve(url, tmp_path)
        views = views_of(tmp_path)
        source = UWSGI(Limits(), PROC)
        source.read(views)
        seen, series = [], []

        def ask(path):
            try:
                httpx.get(url + path, timeout=30)
            except httpx.TransportError:
                seen.append(path)

        threads = [threading.Thread(target=ask, args=("hang",)) for _ in range(2)]
        for thread in threads:
            thread.start()

        def both_busy():
            series[:0] = source.read(views)
            return set(values(series[:60], "uwsgi_threads_busy").values()) == {2}

        until(both_busy)
        for thread in threads:
            thread.join()
        assert seen == ["hang"] * 2, "killed by harakiri"
        ask("raise")
        until(
            lambda: (
                series.extend(source.read(views))
                or total(series, "uwsgi_exceptions") == 1
                and total(series, "uwsgi_harakiri") >= 1
                and total(series, "uwsgi_respawns") >= 1
            )
        )


def test_requests_that_wait_at_a_unix_socket_are_seen(tmp_path):
    lines = f"stats = %d%n.stats\nsocket = {tmp_path}/app.sock\nharakiri = 20\n"
    with uwsgi(tmp_path, lines) as url:
        both_serve(url, tmp_path)
        views = views_of(tmp_path)
        source = UWSGI(Limits(), PROC)

        def hang():
            with suppress(httpx.TransportError):
                httpx.get(url + "hang", timeout=30)

        threads = [threading.Thread(target=hang) for _ in range(2)]
        for thread in threads:
            thread.start()
        until(lambda: set(values(source.read(views), "uwsgi_workers_busy").values()) == {2})
        clients = [socket.socket(socket.AF_UNIX) for _ in range(4)]
        for client in clients:
            client.connect(str(tmp_path / "app.sock"))
        series = source.read(views)
        assert set(values(series, "uwsgi_listen_queue").values()) == {4}
        assert set(values(series, "uwsgi_listen_queue_max").values()) == {7}
        for client in clients:
            client.close()
        for view in views:
            os.kill(view.pid, signal.SIGKILL)
        for thread in threads:
            thread.join()


def test_a_uwsgi_without_a_stats_socket_is_told_how_to_have_one(tmp_path):
    with uwsgi(tmp_path, "") as url:
        both_serve(url, tmp_path)
        views = views_of(tmp_path)
        source = UWSGI(Limits(), PROC)
        assert source.read(views) == []
        assert source.reason(views[0].ring_id) == NO_SOCKET
        master = source.masters[views[0].ring_id]
        assert (master.after_fork, master.sure) == (False, True)
        named = UWSGI(Limits(), PROC, ("127.0.0.1:1",))
        assert named.read(views) == [] and "refused" in named.failures["127.0.0.1:1"]
        assert named.limits.totals() == {"agent.uwsgi_stats_failed": 1}


def test_a_stats_socket_that_was_named_gives_its_numbers_to_the_worker_that_it_lists(tmp_path):
    port = free_port()
    with uwsgi(tmp_path, "auto-procname = true\n", "--stats", f"127.0.0.1:{port}") as url:
        both_serve(url, tmp_path)
        views = views_of(tmp_path)
        source = UWSGI(Limits(), PROC, (f"127.0.0.1:{port}",))
        series = source.read(views)
        assert {one.who for one in series} == {views[0].identity}
        assert len(values(series, "uwsgi_avg_rt_us")) == 2
        alone = UWSGI(Limits(), PROC, (f"127.0.0.1:{port}",)).read([])
        assert {one.who for one in alone} == {None}, "the host's"


@needs_root
def test_a_uwsgi_in_a_container_is_reached_by_its_unix_socket(tmp_path):
    lines = "stats = %d%n.stats\npy-call-osafterfork = true\n"
    with uwsgi(tmp_path, lines, within=CONTAINER) as url:
        both_serve(url, tmp_path)
        workers = Workers(tmp_path / "rings", PROC)
        workers.look(1)
        assert {one.unreachable for one in workers.known.values()} == {""}
        views = [one.view("h", "") for one in workers.known.values()]
        source = UWSGI(Limits(), PROC)
        series = source.read(views)
        (address,) = {one.address for one in source.masters.values()}
        assert re.fullmatch(rf"/proc/\d+/root{tmp_path}/app.stats", address)
    assert {labels[0] for labels in values(series, "uwsgi_avg_rt_us")} == {
        f"pid={one.pid}" for one in views
    }


def test_a_process_that_is_no_uwsgi():
    assert master_of(os.getpid(), PROC) is None
    assert master_of(2**22 + 1, PROC) is None


@pytest.mark.parametrize(
    "answer", [b"", b"{", b"[]", b'{"a": 1}', b"HTTP/1.0 200 OK\r\n\r\nx", b"[" * 100_000]
)
def test_what_is_no_stats_document_is_one_clear_sentence(answer):
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()

        def serve():
            client, _ = server.accept()
            with client:
                client.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(ValueError, match="uWSGI's stats"):
            read_stats(f"127.0.0.1:{server.getsockname()[1]}")
        thread.join()


def test_an_endless_answer_and_a_silent_one_are_ended(monkeypatch):
    monkeypatch.setattr("agent.uwsgi.ANSWER_BYTES_MAX", 100_000)
    monkeypatch.setattr("agent.uwsgi.TIMEOUT_S", 0.2)
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        address = f"127.0.0.1:{server.getsockname()[1]}"

        def serve():
            client, _ = server.accept()
            with client:
                try:
                    while True:
                        client.sendall(b" " * 65_536)
                except OSError:
                    pass

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(ValueError, match="too long"):
            read_stats(address)
        thread.join()
        with pytest.raises(OSError):
            read_stats(address)  # nobody accepts
