"""Requests of gate.toml as WSGI calls."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

__all__ = ["Endpoint", "Rounds"]


class Endpoint:
    """One endpoint's requests, in order."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.name: str = given["name"]
        self.requests: list[dict[str, Any]] = given["requests"]


class Rounds:
    """Runs all endpoints' requests; a round is each request once."""

    def __init__(
        self, application: Any, endpoints: list[Endpoint], rewind: Callable[[], None]
    ) -> None:
        self.application = application
        self.endpoints = endpoints
        self.rewind = rewind

    def first(self) -> dict[str, list[list[int]]]:
        """The first round, with what each request answered: {endpoint: [[status, bytes], ...]}."""
        answers = {}
        for endpoint in self.endpoints:
            self.rewind()
            answers[endpoint.name] = [
                call(self.application, request, environ_of(request))
                for request in endpoint.requests
            ]
        return answers

    def run(self) -> None:
        """A round that nobody looks at."""
        for endpoint in self.endpoints:
            self.endpoint(endpoint, _nothing, _nothing)

    def endpoint(
        self, endpoint: Endpoint, before: Callable[[], None], after: Callable[[], None]
    ) -> None:
        """One endpoint's requests between before() and after(); a wrong status raises."""
        environs = [environ_of(request) for request in endpoint.requests]
        pairs = list(zip(endpoint.requests, environs))  # noqa: B905 - Python 3.9
        application = self.application
        self.rewind()
        before()
        answers = [call(application, request, environ) for request, environ in pairs]
        after()
        for request, (status, _) in zip(endpoint.requests, answers):  # noqa: B905
            if status != request["status"]:
                raise RuntimeError(
                    f"{request['method']} {request['path']} answered {status} in a later round, "
                    f"not {request['status']}"
                )


def _nothing() -> None:
    pass


def call(application: Any, request: dict[str, Any], environ: dict[str, Any]) -> list[int]:
    """[status, bytes of the body] of one WSGI call."""
    statuses: list[str] = []

    def start_response(status: str, headers: Any, exc_info: Any = None) -> Any:
        statuses.append(status)
        return written.append

    written: list[bytes] = []
    answer = application(environ, start_response)
    size = 0
    try:
        for part in answer:
            size += len(part)
    finally:
        close = getattr(answer, "close", None)
        if close is not None:
            close()
    return [int(statuses[-1][:3]), size + sum(map(len, written))]


def environ_of(request: dict[str, Any]) -> dict[str, Any]:
    """A WSGI environ as a server on loopback would make it."""
    path, _, query = request["path"].partition("?")
    body = request["body"].encode("utf-8")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(path, "latin-1"),
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "localhost",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    if body:
        environ["CONTENT_LENGTH"] = str(len(body))
    for name, value in request["headers"].items():
        key = name.upper().replace("-", "_")
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else "HTTP_" + key] = value
    return environ
