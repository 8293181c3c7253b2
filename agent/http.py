"""One HTTP connection at a time, kept open: what the agent needs of a client, in little memory."""

import json
import select
from dataclasses import dataclass, field
from email.message import Message
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

__all__ = ["Answer", "Client", "NotReached"]

ANSWER_BYTES_MAX = 4 << 20


class NotReached(OSError):
    """No answer: the connection could not be made, broke, or took too long."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other side said."""

    status_code: int
    headers: Message
    content: bytes

    @property
    def is_success(self) -> bool:
        return 200 <= self.status_code < 300

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        """The answer's document; raises ValueError where it is none."""
        return json.loads(self.content)


@dataclass(slots=True)
class Client:
    """Keeps the connection to one origin. Follows no redirect; TLS is checked against the host's
    certificates (or SSL_CERT_FILE). Every method raises NotReached.
    """

    timeout_s: float = 10.0
    _origin: tuple[str, str] = ("", "")
    _connection: HTTPConnection | None = field(default=None)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def put(
        self, url: str, *, params: dict[str, str], content: bytes, headers: dict[str, str]
    ) -> Answer:
        """PUT a body."""
        return self._ask("PUT", f"{url}?{urlencode(params)}", content, headers, self.timeout_s)

    def get(self, url: str, *, headers: dict[str, str], timeout: float | None = None) -> Answer:
        """GET an answer; `timeout` in s."""
        return self._ask("GET", url, None, headers, timeout or self.timeout_s)

    def _ask(
        self, method: str, url: str, body: bytes | None, headers: dict[str, str], timeout_s: float
    ) -> Answer:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise NotReached("not an address with http:// or https://")
        target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        try:
            connection = self._open(parts.scheme, parts.netloc, timeout_s)
            connection.request(method, target, body, headers)
            response = connection.getresponse()
            content = response.read(ANSWER_BYTES_MAX + 1)
            if len(content) > ANSWER_BYTES_MAX:
                raise HTTPException("an answer that is too long")
        except (OSError, HTTPException, ValueError) as error:
            self.close()
            raise NotReached(str(error) or type(error).__name__) from error
        return Answer(response.status, response.headers, content)

    def _open(self, scheme: str, netloc: str, timeout_s: float) -> HTTPConnection:
        """The connection to an origin; a new one where the other side has closed the old."""
        if self._origin != (scheme, netloc) or self._is_stale():
            self.close()
        if self._connection is None:
            kind = HTTPSConnection if scheme == "https" else HTTPConnection
            self._connection = kind(netloc, timeout=timeout_s)
            self._origin = (scheme, netloc)
        self._connection.timeout = timeout_s
        if self._connection.sock is not None:
            self._connection.sock.settimeout(timeout_s)
        return self._connection

    def _is_stale(self) -> bool:
        """Whether an idle connection has something to read: its end, or what nobody asked for."""
        sock = self._connection.sock if self._connection is not None else None
        if sock is None:
            return False
        poller = select.poll()
        poller.register(sock, select.POLLIN)
        return bool(poller.poll(0))
