"""A store of its own for every test, and receivers that behave as receivers do: badly."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from collector.store.store import Store, open_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "store")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """One store for a whole module, whose tests keep apart by service or name."""
    opened = open_store(tmp_path_factory.mktemp("store"))
    yield opened
    opened.close()


@dataclass
class Receiver:
    """A webhook on loopback. `answers`: what to do with the next requests; then 200.

    An answer is a status, a (status, Retry-After) pair, or "hang".
    """

    server: ThreadingHTTPServer
    answers: list[Any] = field(default_factory=list)
    got: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    taken: list[dict[str, Any]] = field(default_factory=list)
    release: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/hook?secret=swordfish"

    def states(self) -> list[str]:
        return [str(payload["state"]) for payload in self.taken]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            payload = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            one.got.append(payload)
            one.headers.append(dict(self.headers.items()))
            answer = one.answers.pop(0) if one.answers else 200
            if answer == "hang":
                one.release.wait(30)
                answer = 500
            status, retry_after = answer if isinstance(answer, tuple) else (answer, None)
            if status == 200:
                one.taken.append(payload)
            try:
                self.send_response(status)
                if retry_after is not None:
                    self.send_header("Retry-After", str(retry_after))
                self.end_headers()
            except OSError:
                pass  # the client gave up on a receiver that hung

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    one = Receiver(server)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield one
    one.release.set()
    server.shutdown()
    server.server_close()
    thread.join()
