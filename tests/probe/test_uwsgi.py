import json
import os
import signal
import socket
import subprocess

import pytest

from dynoscope_probe import auto
from tests.probe.reading import read_rings, records_in
from tests.probe.serving import (
    APPS,
    BIN,
    UWSGI,
    environment,
    fetching,
    free_port,
    get,
    server,
    wait_for,
    wait_for_records,
)

ROOT = str(APPS.parents[2])
LINES = ["--import", "dynoscope_probe.uwsgi", "--py-call-osafterfork"]
PLAIN = ["--module", "plain_app"]


def uwsgi(port, *arguments, workers=1):
    paths = ["--pythonpath", str(APPS), "--pythonpath", ROOT]
    socket = ["--http-socket", f"127.0.0.1:{port}", "--processes", str(workers)]
    return [*UWSGI, *socket, *paths, *arguments]


@pytest.mark.parametrize("lazy", [[], ["--lazy-apps"]], ids=["preforked", "lazy"])
@pytest.mark.parametrize(
    "load",
    [
        ["--module", "plain_app"],
        ["--module", "plain_app:application"],
        ["--module", "plain_app:create_app()"],
        ["--module", "flask_app", "--callable", "app"],
        ["--wsgi-file", str(APPS / "plain_app.py")],
        ["--mount", f"/={APPS / 'plain_app.py'}"],
        ["--mount", "/=plain_app:application", "--manage-script-name"],
    ],
    ids=["module", "callable", "factory", "option", "file", "mounted-file", "mounted"],
)
def test_the_loaded_application_is_wrapped(ring_dir, load, lazy):
    port = free_port()
    with server(uwsgi(port, *LINES, *load, *lazy), environment(ring_dir), port):
        get(port, "/users/5")
        get(port, "/users/5")
        wait_for_records(ring_dir, 2)
    (ring,) = read_rings(ring_dir)
    name = "GET /users/<user_id>" if "flask_app" in load else "GET (unmatched)"
    assert ring.endpoints() == [name, name]
    assert ring.header["worker"] == 1
    assert ring.text(ring.header["service_id"]) == "shop"


@pytest.mark.parametrize("lazy", [[], ["--lazy-apps"]], ids=["preforked", "lazy"])
def test_django_under_uwsgi(ring_dir, lazy):
    port = free_port()
    arguments = [*LINES, "--module", "tests.probe.apps.django_app", *lazy]
    with server(uwsgi(port, *arguments, workers=2), environment(ring_dir), port, cwd=ROOT):
        for _ in range(20):
            assert get(port, "/database/")[0] == 200
        wait_for_records(ring_dir, 20)
    found = records_in(ring_dir)
    assert [endpoint for endpoint, _ in found] == ["GET /database/"] * 20
    assert {record["db_calls"] for _, record in found} == {4}
    assert {ring.counters["probe_errors"] for ring in read_rings(ring_dir)} == {0}


def test_the_other_way_names_the_application(ring_dir):
    port = free_port()
    command = uwsgi(port, "--module", "dynoscope_probe.uwsgi:application")
    env = environment(ring_dir, DYNOSCOPE_APP="plain_app:application")
    with server(command, env, port):
        assert get(port, "/")[1].startswith(b"plain")
        wait_for_records(ring_dir, 1)
    assert len(records_in(ring_dir)) == 1


def test_by_the_environment_alone(ring_dir):
    port = free_port()
    command = uwsgi(port, *PLAIN)
    with server(command, auto.environment(command, environment(ring_dir)), port):
        get(port, "/")
        wait_for_records(ring_dir, 1)
    assert len(records_in(ring_dir)) == 1


def test_workers_that_are_replaced_go_on_counting(ring_dir):
    """max-requests, then kill -9 within a request: the one in flight shows, no other is lost."""
    port = free_port()
    command = uwsgi(port, *LINES, *PLAIN, "--max-requests", "3", "--min-worker-lifetime", "0")
    with server(command, environment(ring_dir), port):
        for _ in range(8):
            get(port, "/")
        with pytest.raises(OSError):
            get(port, "/kill")
        wait_for(lambda: _answers(port), "the next worker")
        wait_for_records(ring_dir, 9)
    rings = read_rings(ring_dir)
    assert sum(len(ring.records) for ring in rings) == 9
    assert len({ring.header["pid"] for ring in rings}) == len(rings) >= 4
    killed = [slot for ring in rings for slot in ring.in_flight]
    assert len(killed) == 1
    assert killed[0]["started_ns"] > 0


def _answers(port):
    try:
        return get(port, "/")[0] == 200
    except OSError:
        return False


def test_reloading_keeps_the_probe(ring_dir, tmp_path):
    """Workers of a chain reload load the application again, probe included."""
    port = free_port()
    fifo = tmp_path / "fifo"
    command = uwsgi(port, *LINES, *PLAIN, "--lazy-apps", "--master-fifo", str(fifo))
    with server(command, environment(ring_dir), port):
        first = get(port, "/")[1]
        with fifo.open("w") as pipe:
            pipe.write("w")
        wait_for(lambda: _answers(port) and get(port, "/")[1] != first, "a new worker")
    pids = {ring.header["pid"] for ring in read_rings(ring_dir) if ring.records}
    assert len(pids) == 2


def test_threads_of_a_worker_have_slots_of_their_own(ring_dir):
    port = free_port()
    command = uwsgi(port, *LINES, *PLAIN, "--threads", "4")
    with server(command, environment(ring_dir), port):
        clients = [
            fetching(f"http://127.0.0.1:{port}/busy?0.2", stdout=subprocess.DEVNULL)
            for _ in range(4)
        ]
        assert [client.wait() for client in clients] == [0] * 4
        wait_for_records(ring_dir, 4)
    records = [record for _, record in records_in(ring_dir)]
    assert len(records) == 4
    assert len({record["thread_slot"] for record in records}) > 1
    assert all(0.19e9 < record["cost"] < 0.3e9 for record in records if record["unit"] == 1)


def test_every_stack_of_a_live_worker_carries_its_endpoint(ring_dir):
    port = free_port()
    command = uwsgi(port, *LINES, "--module", "tests.probe.apps.django_app")
    with server(command, environment(ring_dir), port, cwd=ROOT):
        get(port, "/media/1/")
        (ring,) = read_rings(ring_dir)
        url = f"http://127.0.0.1:{port}/burning/?s=5"
        client = fetching(url, stdout=subprocess.DEVNULL)
        wait_for(lambda: read_rings(ring_dir)[0].in_flight, "the request")
        frames = wait_for(lambda: _endpoint_frames(ring.header["pid"]), "the frame")
        os.kill(client.pid, signal.SIGKILL)
        client.wait()
    assert frames == ["GET /burning/"]


def _endpoint_frames(pid):
    argv = [str(BIN / "py-spy"), "dump", "--json", "--pid", str(pid)]
    threads = json.loads(subprocess.run(argv, check=True, capture_output=True).stdout)
    frames = [frame for thread in threads for frame in thread["frames"]]
    return [frame["name"] for frame in frames if frame["filename"] == "<endpoint>"]


def test_outcomes_of_a_stream_and_a_crash(ring_dir):
    port = free_port()
    with server(uwsgi(port, *LINES, *PLAIN), environment(ring_dir), port):
        assert get(port, "/stream") == (200, b"part part part ")
        with pytest.raises(OSError):
            get(port, "/crash")
        wait_for_records(ring_dir, 2)
    outcomes = [record["outcome"] for _, record in records_in(ring_dir)]
    assert outcomes == [0, 1]


def test_a_client_that_goes_away(ring_dir):
    """The server closes the response before its last part; the worker goes on."""
    port = free_port()
    with server(uwsgi(port, *LINES, *PLAIN), environment(ring_dir), port):
        with socket.create_connection(("127.0.0.1", port), 20) as client:
            client.sendall(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
            while b"part" not in client.recv(65536):
                pass
        wait_for_records(ring_dir, 1)
        assert get(port, "/")[0] == 200
        wait_for_records(ring_dir, 2)
    (gone, next_one) = [record for _, record in records_in(ring_dir)]
    assert (gone["outcome"], gone["status"], gone["error_fp"]) == (3, 200, 0)
    assert next_one["outcome"] == 0
    assert {ring.counters["probe_errors"] for ring in read_rings(ring_dir)} == {0}
