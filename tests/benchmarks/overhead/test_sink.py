import http.client
import json
import socket
import subprocess
import sys
from contextlib import closing

import pytest

from benchmarks.overhead.servers import ROOT


@pytest.fixture
def port():
    command = [sys.executable, "-m", "benchmarks.overhead.sink"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        yield int(process.stdout.readline())
        process.kill()


def test_it_takes_what_every_peer_sends_and_counts_it(port):
    sent: list[tuple[str, str, object]] = [
        ("POST", "/v1/traces", b"x" * 200_000),
        ("POST", "/api/1/envelope/", b"{}"),
    ]
    sent += [("PUT", "/v0.5/traces", b"\x91"), ("POST", "/intake/v2/events", iter([b"a", b"b"]))]
    sent += [("POST", "/push.v1.PusherService/Push", b"x")]
    with closing(http.client.HTTPConnection("127.0.0.1", port)) as connection:
        for method, path, body in sent:
            connection.request(method, path, body=body)  # an iterator is sent in chunks
            answer = connection.getresponse()
            assert (answer.status, json.load(answer)) == (200, {})
        connection.request("GET", "/counts")
        counts = json.load(connection.getresponse())
    peers = ("opentelemetry", "sentry", "elastic", "ddtrace", "pyroscope")
    assert counts == dict.fromkeys(peers, 1)


def test_nonsense_ends_only_its_own_connection(port):
    with socket.create_connection(("127.0.0.1", port), 10) as nonsense:
        nonsense.sendall(b"PUT /v0.5/traces HTTP/1.1\r\nContent-Length: many\r\n\r\n")
        assert nonsense.recv(100) == b""
    with closing(http.client.HTTPConnection("127.0.0.1", port)) as connection:
        connection.request("GET", "/info")
        assert "endpoints" in json.load(connection.getresponse())
