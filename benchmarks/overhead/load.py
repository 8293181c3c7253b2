"""One client that keeps a server busy: a few requests wait for it at any time."""

from __future__ import annotations

import socket
import time
from collections import deque

__all__ = ["LoadError", "drive"]

#: So many wait in the server's backlog, so that it never idles for want of one.
WAITING = 4
TIMEOUT_S = 30


class LoadError(Exception):
    """The server did not answer as it should."""


def drive(port: int, path: str, count: int) -> int:
    """Make `count` GET requests, one connection each; wall time in ns. Raises LoadError."""
    request = b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n" % path.encode()
    under_way: deque[socket.socket] = deque()
    started_ns = time.perf_counter_ns()
    try:
        for _ in range(count):
            if len(under_way) == WAITING:
                _finish(under_way.popleft(), path)
            under_way.append(_begin(port, request))
        while under_way:
            _finish(under_way.popleft(), path)
    finally:
        for connection in under_way:
            connection.close()
    return time.perf_counter_ns() - started_ns


def _begin(port: int, request: bytes) -> socket.socket:
    try:
        connection = socket.create_connection(("127.0.0.1", port), TIMEOUT_S)
        connection.sendall(request)
    except OSError as error:
        raise LoadError(f"no connection to port {port}: {error}") from error
    return connection


def _finish(connection: socket.socket, path: str) -> None:
    with connection:
        try:
            answer = connection.recv(65536)
            while connection.recv(65536):
                pass
        except OSError as error:
            raise LoadError(f"{path} was not answered: {error}") from error
    if answer[9:12] != b"200":
        raise LoadError(f"{path} was answered {answer[:60]!r}")
