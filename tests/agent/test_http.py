import socket
import ssl
import subprocess
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from agent.http import Client, NotReached


@contextmanager
def serving(context=None):
    """Answers with what it was asked; `/close` ends the connection after its answer. `context`:
    it speaks TLS."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.path == "/cut":
                self.close_connection = True
                return
            text = f"{self.command} {self.path} {body.decode()} {self.client_address[1]}".encode()
            self.close_connection = self.path == "/close"
            self.send_response(200 if self.path != "/busy" else 503)
            length = 5 << 20 if self.path == "/long" else len(text)
            self.send_header("Content-Length", str(length))
            self.send_header("Retry-After", "7")
            self.end_headers()
            self.wfile.write(text.ljust(length))

        do_GET = do_PUT = answer

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if context is not None:
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"{'http' if context is None else 'https'}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def server():
    with serving() as url:
        yield url


def certificate(folder, name):
    """One that certifies itself for an address; its files, the second with the key."""
    files = folder / f"{name}.pem", folder / f"{name}.key"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=collector", "-addext", f"subjectAltName=IP:{name}"]
    command += ["-out", str(files[0]), "-keyout", str(files[1])]
    subprocess.run(command, check=True, capture_output=True)
    return files


def test_over_tls_to_who_is_certified_by_an_authority_of_this_host(tmp_path, monkeypatch):
    """Nobody else is told anything: neither who is certified by others, nor for another address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours, key = certificate(tmp_path, "127.0.0.1")
    context.load_cert_chain(ours, key)
    with serving(context) as url:
        with Client(5.0) as client, pytest.raises(NotReached, match="CERTIFICATE_VERIFY_FAILED"):
            client.get(f"{url}/", headers={})
        monkeypatch.setenv("SSL_CERT_FILE", str(ours))
        with Client(5.0) as client:
            first, second = (
                client.put(f"{url}/a", params={}, content=b"body", headers={}).text.split(" ")
                for _ in range(2)
            )
    assert first[2] == "body" and first == second, "the same connection"
    other, key = certificate(tmp_path, "127.0.0.2")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(other, key)
    monkeypatch.setenv("SSL_CERT_FILE", str(other))
    mismatch = pytest.raises(NotReached, match="IP address mismatch")
    with serving(context) as url, Client(5.0) as client, mismatch:
        client.get(f"{url}/", headers={})


def test_one_connection_is_kept_and_renewed_when_the_other_side_ends_it(server):
    with Client() as client:
        put = client.put(f"{server}/a", params={"table": "x y"}, content=b"body", headers={})
        method, path, body, port = put.text.split(" ")
        assert (method, path, body) == ("PUT", "/a?table=x+y", "body")
        assert put.is_success and put.headers.get("Retry-After") == "7"
        again = client.get(f"{server}/close", headers={}).text.split(" ")
        assert again[-1] == port, "the same connection"
        assert client.get(f"{server}/b", headers={}).text.split(" ")[-1] != port
        busy = client.get(f"{server}/busy", headers={})
        assert (busy.status_code, busy.is_success) == (503, False)


def test_what_is_no_answer_is_one_error_and_the_next_question_goes_through(server):
    with Client(0.3) as client, socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        for url in (
            f"{server}/cut", f"{server}/long", f"http://127.0.0.1:{port}/", "http://127.0.0.1:1/",
            "127.0.0.1:8600", "http://127.0.0.1:x/", "ftp://127.0.0.1/", "http://127.0.0.1/a b",
        ):  # fmt: skip
            with pytest.raises(NotReached):
                client.get(url, headers={})
            assert client.get(f"{server}/", headers={}).is_success
        with pytest.raises(NotReached):
            client.get(f"{server}/", headers={"Authorization": "Bearer a\nb: c"})
        assert client.get(f"{server}/", headers={}).is_success


def test_an_answer_that_is_no_json(server):
    with Client() as client, pytest.raises(ValueError):
        client.get(f"{server}/", headers={}).json()
