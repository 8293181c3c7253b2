"""A service for `paging.race`: requests at a steady rate, counted by the probe and for Prometheus.

`python -m benchmarks.paging.service PORT RATE`; `GET /metrics`; POST /break makes every second
request fail, POST /mend ends that. Each request is real work of the probe: it goes into the ring.
"""

import io
import sys
import threading
import time
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import dynoscope_probe

COUNTS = {"200": 0, "500": 0}
BROKEN = threading.Event()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    fails = BROKEN.is_set() and environ["number"] % 2 == 0
    code = "500" if fails else "200"
    COUNTS[code] += 1
    start_response(f"{code} Said", [("Content-Type", "text/plain")])
    return [b"done"]


class _Control(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        lines = ["# TYPE requests_total counter"]
        lines += [f'requests_total{{code="{code}"}} {n}' for code, n in COUNTS.items()]
        self._answer("\n".join(lines) + "\n")

    def do_POST(self) -> None:
        if self.path == "/break":
            BROKEN.set()
        else:
            BROKEN.clear()
        self._answer("")

    def _answer(self, text: str) -> None:
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def main(port: int, per_s: float) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", port), _Control)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    wrapped = dynoscope_probe.wsgi(application)
    began_s, number = time.monotonic(), 0
    while True:
        number += 1
        environ = {
            "REQUEST_METHOD": "GET", "PATH_INFO": "/", "SCRIPT_NAME": "", "QUERY_STRING": "",
            "SERVER_NAME": "a", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.version": (1, 0), "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(),
            "wsgi.errors": sys.stderr, "wsgi.multithread": False, "wsgi.multiprocess": False,
            "wsgi.run_once": False, "number": number,
        }  # fmt: skip
        answer = wrapped(environ, lambda *_: None)
        for _ in answer:
            pass
        getattr(answer, "close", lambda: None)()
        time.sleep(max(0.0, began_s + number / per_s - time.monotonic()))


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
