"""A collector that answers what it is told and remembers what it took; a real HTTP server."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pyarrow as pa


@dataclass
class Receiver:
    """`answers`: (status, headers) for the next requests, then 204 for ever."""

    url: str = ""
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    #: (batch id, table, attempt, authorization, status) in order of arrival
    calls: list[tuple[str, str, int, str, int]] = field(default_factory=list)
    #: batch id -> (table, rows), of those answered with 204
    taken: dict[str, tuple[str, pa.Table]] = field(default_factory=dict)

    def rows(self, table: str) -> list[dict]:
        """All rows of a table, each batch once."""
        return [
            row for name, rows in list(self.taken.values()) if name == table
            for row in rows.to_pylist()
        ]  # fmt: skip

    def identities(self) -> list[tuple[int, int]]:
        """(ring id, seq) of every request taken."""
        return [(row["ring_id"], row["seq"]) for row in self.rows("requests")]


@contextmanager
def receiver(port: int = 0) -> Iterator[Receiver]:
    """A receiver on a loopback port."""
    told = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PUT(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            parts = urlsplit(self.path)
            batch_id = parts.path.removeprefix("/v1/batches/")
            table = parse_qs(parts.query)["table"][0]
            status, headers = told.answers.pop(0) if told.answers else (204, {})
            attempt = int(self.headers["X-Dynoscope-Attempt"])
            authorization = self.headers.get("Authorization", "")
            if status == 204:
                told.taken[batch_id] = (table, pa.ipc.open_stream(body).read_all())
            told.calls.append((batch_id, table, attempt, authorization, status))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            text = b"" if status == 204 else b'{"error": "column cost: missing"}'
            if text:
                self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    told.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
