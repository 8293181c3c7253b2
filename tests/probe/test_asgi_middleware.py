"""The ASGI middleware under uvicorn."""

import asyncio
import http.client
import json
import signal
import socket
import sys

import pytest

import dynoscope_probe
from dynoscope_probe import layout
from dynoscope_probe.request import current_request
from tests.probe.reading import read_rings, records_in
from tests.probe.serving import (
    APPS,
    environment,
    free_port,
    get,
    server,
    wait_for,
    wait_for_records,
)

ROOT = str(APPS.parents[2])
OK, ERROR, _, DISCONNECTED = range(4)


def uvicorn(port, application, *arguments):
    return [
        sys.executable, "-m", "uvicorn", f"tests.probe.apps.asgi_app:{application}",
        "--port", str(port), "--log-level", "warning", *arguments,
    ]  # fmt: skip


@pytest.fixture
def serving(ring_dir, request):
    """A server with an application of asgi_app; gives its port."""
    application, *arguments = getattr(request, "param", ["application"])
    port = free_port()
    command = uvicorn(port, application, *arguments)
    with server(command, environment(ring_dir), port, cwd=ROOT) as running:
        yield port
        running.send_signal(signal.SIGINT)


def recorded(ring_dir, count):
    wait_for_records(ring_dir, count)
    return records_in(ring_dir)


def test_one_record_a_request(ring_dir, serving):
    assert json.loads(get(serving, "/users/7")[1])[-1] == "GET /users/<id>"
    assert get(serving, "/nowhere")[0] == 404
    found = recorded(ring_dir, 2)
    assert [name for name, _ in found] == ["GET /users/<id>", "GET (unmatched)"]
    for _, record in found:
        assert record["unit"] == layout.UNITS.index("none")
        assert record["cost"] == record["task_clock_ns"] == 0
        assert (record["kind"], record["outcome"]) == (0, OK)
        assert record["wall_ns"] > 0
    assert [record["status"] for _, record in found] == [200, 404]
    (ring,) = read_rings(ring_dir)
    assert ring.in_flight == []
    assert ring.text(found[0][1]["flags_id"]) == "user=7"
    assert ring.counters["probe_errors"] == 0


@pytest.mark.parametrize(
    ("path", "endpoint"),
    [
        ("/v1/acme/items/5", "GET /v1/<tenant>/items/<item>"),
        ("/v2/items/5", "GET /v2/items/<item>"),
        ("/v2/nowhere/5", "GET (unmatched)"),
        ("/v2/7", "GET /v2/<id>"),  # another method: 405
        ("/files/pyproject.toml", "GET /files/<path>"),
    ],
)
def test_mounts_are_part_of_the_name(ring_dir, serving, path, endpoint):
    get(serving, path)
    assert recorded(ring_dir, 1)[0][0] == endpoint


@pytest.mark.parametrize("serving", [["application", "--root-path", "/shop"]], indirect=True)
def test_the_root_path_is_part_of_the_name(ring_dir, serving):
    assert get(serving, "/users/7")[0] == 200
    assert get(serving, "/v2/items/7")[0] == 200
    names = [name for name, _ in recorded(ring_dir, 2)]
    assert names == ["GET /shop/users/<id>", "GET /shop/v2/items/<item>"]


def test_interleaved_requests_are_kept_apart(ring_dir, serving):
    connections = []
    for who in ("a", "b"):
        connection = http.client.HTTPConnection("127.0.0.1", serving, timeout=20)
        connection.request("GET", f"/together/{who}")
        connections.append(connection)
    answers = [json.loads(connection.getresponse().read()) for connection in connections]
    assert answers == [{"who": "a"}, {"who": "b"}]
    for connection in connections:
        connection.close()
    wait_for_records(ring_dir, 2)
    (ring,) = read_rings(ring_dir)
    flags = {ring.text(record["flags_id"]) for record in ring.records}
    assert flags == {"who=a", "who=b"}
    assert [record["cache_calls"] for record in ring.records] == [1, 1]
    assert len({record["thread_slot"] for record in ring.records}) == 2
    assert ring.in_flight == []


def test_pipelined_requests_are_all_counted(ring_dir, serving):
    """The second begins in a task that has the first one's context."""
    with socket.create_connection(("127.0.0.1", serving), 20) as client:
        client.sendall(b"GET /users/1 HTTP/1.1\r\nHost: x\r\n\r\n" * 3)
        received = b""
        while received.count(b"200 OK") < 3:
            received += client.recv(65536)
    names = [name for name, _ in recorded(ring_dir, 3)]
    assert names == ["GET /users/<id>"] * 3


def test_a_call_in_a_thread_belongs_to_the_request(ring_dir, serving):
    assert get(serving, "/thread") == (200, b"from a thread")
    ((_, record),) = recorded(ring_dir, 1)
    assert record["cache_calls"] == 1


def test_the_caller_s_trace_goes_on(ring_dir, serving):
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    get(serving, "/users/7", traceparent=f"00-{trace_id}-b7ad6b7169203331-01")
    ((_, record),) = recorded(ring_dir, 1)
    assert f"{record['trace_id_high']:016x}{record['trace_id_low']:016x}" == trace_id


@pytest.mark.parametrize("serving", [["application"], ["frameless"]], indirect=True)
def test_an_error_is_answered_as_before_and_recorded(ring_dir, serving):
    assert get(serving, "/broken") == (500, b"Internal Server Error")
    ((_, record),) = recorded(ring_dir, 1)
    (ring,) = read_rings(ring_dir)
    assert record["outcome"] == ERROR
    kind, message, frames = ring.text(record["error_id"]).split("\x1f")
    assert kind == "LookupError"
    assert frames.startswith("tests.probe.apps.asgi_app:")
    assert ring.counters["probe_errors"] == 0


def test_the_traceback_has_no_frame_of_the_probe(ring_dir, serving):
    get(serving, "/broken")
    wait_for_records(ring_dir, 1)
    logs = [path.read_text() for path in ring_dir.parent.glob("log-*")]
    (log,) = [log for log in logs if "LookupError" in log]
    assert "asgi_app.py" in log
    assert "<endpoint>" not in log
    assert "dynoscope_probe" not in log


def test_a_client_that_goes_away(ring_dir, serving):
    with socket.create_connection(("127.0.0.1", serving), 20) as client:
        client.sendall(b"GET /streaming HTTP/1.1\r\nHost: x\r\n\r\n")
        while b"part" not in client.recv(65536):
            pass
    ((name, record),) = recorded(ring_dir, 1)
    assert name == "GET /streaming"
    assert record["outcome"] == DISCONNECTED
    assert record["error_fp"] == 0


def test_what_runs_after_the_response_is_not_waited_for(ring_dir, serving):
    assert get(serving, "/lazy") == (200, b"soon")
    ((_, record),) = recorded(ring_dir, 1)
    assert record["wall_ns"] < 0.5e9
    assert record["cache_calls"] == 1


def test_lifespan_and_websocket_pass_through(ring_dir, serving):
    import base64

    assert get(serving, "/started") == (200, b"true")
    with socket.create_connection(("127.0.0.1", serving), 20) as client:
        key = base64.b64encode(b"0123456789abcdef").decode()
        client.sendall(
            f"GET /echo HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        assert b"101 Switching Protocols" in client.recv(65536)
        client.sendall(b"\x81\x82\0\0\0\0hi")  # a masked text of two letters
        assert b"hiNone" in wait_for(lambda: client.recv(65536), "the echo")
    assert [name for name, _ in recorded(ring_dir, 1)] == ["GET /started"]


@pytest.mark.parametrize("serving", [["frameless"]], indirect=True)
def test_an_application_without_a_framework(ring_dir, serving):
    assert get(serving, "/frames") == (200, b"GET (unmatched)")
    assert get(serving, "/nothing")[0] == 500  # the server says so: there was no response
    found = recorded(ring_dir, 2)
    assert [name for name, _ in found] == ["GET (unmatched)"] * 2
    assert [record["outcome"] for _, record in found] == [OK, ERROR]


@pytest.mark.parametrize("serving", [["django", "--factory"]], indirect=True)
def test_django_s_asgi_handler(ring_dir, serving):
    assert get(serving, "/async/5/")[1].decode() == "['GET /async/<number>/']"
    assert get(serving, "/media/5/") == (200, b"media 5")
    assert get(serving, "/nowhere/")[0] == 404
    assert get(serving, "/failing/")[0] == 500
    found = recorded(ring_dir, 4)
    assert [name for name, _ in found] == [
        "GET /async/<number>/", "GET /media/<media_id>/", "GET (unmatched)", "GET /failing/",
    ]  # fmt: skip
    assert [record["status"] for _, record in found] == [200, 200, 404, 500]
    assert [record["outcome"] for _, record in found] == [OK, OK, OK, ERROR]
    assert [record["error_fp"] != 0 for _, record in found] == [False, False, False, True]
    assert {ring.counters["probe_errors"] for ring in read_rings(ring_dir)} == {0}


def test_wrapping_twice_changes_nothing():
    class Application:
        config = {"a": 1}

        async def __call__(self, scope, receive, send):
            raise AssertionError

    once = dynoscope_probe.asgi(Application())
    assert dynoscope_probe.asgi(once) is once
    assert once.config == {"a": 1}
    assert dynoscope_probe.asgi("not callable") == "not callable"


def ask(application, **scope):
    """What an application sends for a request, asked without a server."""
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    whole = {"type": "http", "method": "GET", "path": "/", **scope}
    asyncio.run(application(whole, receive, send))
    return sent


async def answer(scope, receive, send):
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def test_a_scope_of_the_least_that_it_must_have(ring_dir):
    application = dynoscope_probe.asgi(answer)
    assert [message["type"] for message in ask(application)] == [
        "http.response.start", "http.response.body",
    ]  # fmt: skip
    ask(application)
    assert [record["status"] for _, record in records_in(ring_dir)] == [204, 204]


def test_one_wrapped_application_in_another_counts_once(ring_dir):
    inner = dynoscope_probe.asgi(answer)

    async def between(scope, receive, send):
        await inner({**scope, "path": "/inner"}, receive, send)

    ask(dynoscope_probe.asgi(between), headers=[(b"host", b"x")])
    assert len(records_in(ring_dir)) == 1


def test_a_request_that_is_made_within_another_counts_for_itself(ring_dir):
    """An application that asks its own site, in process, as a batch endpoint does."""

    async def batch(scope, receive, send):
        mine = current_request()
        if scope["path"] == "/":
            await application({**scope, "path": "/part", "headers": []}, receive, ignore)
        assert current_request() is mine
        await answer(scope, receive, send)

    async def ignore(message):
        pass

    application = dynoscope_probe.asgi(batch)
    ask(application, headers=[(b"host", b"x")])
    assert [record["status"] for _, record in records_in(ring_dir)] == [204, 204]


def test_the_application_runs_on_where_nothing_can_be_recorded(ring_dir, monkeypatch):
    monkeypatch.setenv("DYNOSCOPE_RING_DIR", "/proc/no/such/folder")
    assert len(ask(dynoscope_probe.asgi(answer))) == 2


def test_a_cancelled_request_was_disconnected(ring_dir):
    async def waiting(scope, receive, send):
        await asyncio.sleep(60)

    async def cancelled():
        task = asyncio.create_task(
            dynoscope_probe.asgi(waiting)({"type": "http", "method": "GET"}, None, None)
        )
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    ((_, record),) = records_in(ring_dir)
    assert (record["outcome"], record["error_fp"]) == (DISCONNECTED, 0)


def test_more_requests_at_once_than_slots(ring_dir):
    """They are counted all the same; that the slots ran out shows."""
    waiting = []

    async def all_at_once(scope, receive, send):
        waiting.append(scope)
        while len(waiting) < 200:
            await asyncio.sleep(0)
        await answer(scope, receive, send)

    application = dynoscope_probe.asgi(all_at_once)

    async def send(message):
        pass

    async def many():
        scopes = [{"type": "http", "method": "GET", "headers": []} for _ in range(200)]
        await asyncio.gather(*(application(scope, None, send) for scope in scopes))

    asyncio.run(many())
    (ring,) = read_rings(ring_dir)
    assert len(ring.records) == 200
    assert ring.counters["slots_full"] > 0
    assert ring.in_flight == []
