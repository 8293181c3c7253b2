"""Real HTTP servers for outgoing calls, in threads of the test."""

import contextlib
import http.server
import socket
import threading
import time

SLOW_S = 0.05


class Answering(http.server.BaseHTTPRequestHandler):
    """Answers after SLOW_S; `/500` with that status, `/hang-up` not at all, `/moved` elsewhere."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        length = int(self.headers.get("Content-Length", 0))
        self.rfile.read(length)
        self.server.seen.append((self.path, dict(self.headers.items())))
        if self.path == "/hang-up":
            self.close_connection = True
            return
        time.sleep(SLOW_S)
        self.send_response({"/500": 500, "/moved": 302}.get(self.path, 200))
        if self.path == "/moved":
            self.send_header("Location", "/after")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    do_POST = do_GET

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def serving(context=None):
    """An `Answering` server on loopback: `url`, `name` (host:port), `seen` [(path, headers)]."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    server.seen = []
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.url = f"{'https' if context else 'http'}://127.0.0.1:{server.server_port}"
    server.name = f"127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class SlowRelay:
    """Passes one connection after the other on to a port, DELAY_S late."""

    DELAY_S = 0.1

    def __init__(self, to_port):
        self.to_port = to_port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(10)

    def run(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            time.sleep(self.DELAY_S)
            with client, socket.create_connection(("127.0.0.1", self.to_port)) as server:
                back = threading.Thread(target=pump, args=(server, client))
                back.start()
                pump(client, server)
                back.join(10)


def pump(source, sink):
    try:
        while data := source.recv(65_536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass
