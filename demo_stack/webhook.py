"""A receiver of alerts: appends each POSTed JSON object to a file with the time it came.

python -m demo_stack.webhook --port 8710 --out .demo/alerts.jsonl

A line is {"arrived_ms": epoch milliseconds, "alert": the object}. GET / answers 200.
"""

import argparse
import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from typing import Any

__all__ = ["main", "read_alerts"]

BODY_BYTES_MAX = 1_000_000


def main() -> None:
    """Serve until a signal ends the process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    server = ThreadingHTTPServer(("127.0.0.1", options.port), _receiver(options.out))
    server.serve_forever()


def read_alerts(path: Path) -> list[dict[str, Any]]:
    """The lines of the file, oldest first; none where nothing has come yet."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines()]


def _receiver(out: Path) -> type[BaseHTTPRequestHandler]:
    lock = Lock()

    class Receiver(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(200)

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if not length.isdigit() or int(length) > BODY_BYTES_MAX:
                self._answer(413)
                return
            try:
                alert = json.loads(self.rfile.read(int(length)))
            except ValueError:
                self._answer(400)
                return
            line = json.dumps({"arrived_ms": time.time_ns() // 1_000_000, "alert": alert})
            with lock, out.open("a") as alerts:
                alerts.write(line + "\n")
            self._answer(204)

        def log_message(self, format: str, *arguments: object) -> None:
            """The file says all that there is to say."""

        def _answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

    return Receiver


if __name__ == "__main__":
    main()
