"""`http.client`, through which urllib, requests and urllib3 send: a call is counted there, once."""

from __future__ import annotations

import functools
from time import perf_counter_ns
from types import ModuleType
from typing import Any, Callable, Optional
from urllib.parse import urlsplit

from dynoscope_probe import guard
from dynoscope_probe.imports import when_imported
from dynoscope_probe.outgoing import OutgoingCall, host_name
from dynoscope_probe.request import ERROR, OK, Request, current_request

__all__ = ["install"]

#: Where a connection keeps the call that it is in, and when it began to connect for it.
_CALL, _CONNECTING = "_dynoscope_call", "_dynoscope_connecting"


def install() -> None:
    """Hook into the HTTP clients of this process as soon as they are imported."""
    when_imported("http.client", _hook_http_client)
    when_imported("urllib3.connection", _hook_urllib3)


def _hook_http_client(module: ModuleType) -> None:
    connection: Any = module.HTTPConnection
    if hasattr(connection.putrequest, "_dynoscope"):
        return
    connection.putrequest = _beginning(connection.putrequest)
    connection.endheaders = _sending(connection.endheaders)
    connection.getresponse = _ending(connection.getresponse)
    connection.close = _closing(connection.close)


def _hook_urllib3(module: ModuleType) -> None:
    """urllib3 connects before it begins a call."""
    for name in ("HTTPConnection", "HTTPSConnection"):
        connection: Any = getattr(module, name)
        if "connect" in vars(connection) and not hasattr(connection.connect, "_dynoscope"):
            connection.connect = _connecting(connection.connect)


def _beginning(putrequest: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(putrequest)
    def beginning(self: Any, method: str, url: str, *arguments: Any, **named: Any) -> Any:
        request = current_request()
        try:
            if request is None:
                vars(self).pop(_CALL, None)
            else:
                vars(self)[_CALL] = _begun(self, request, method, url)
        except Exception:
            guard.swallowed()
        return putrequest(self, method, url, *arguments, **named)

    beginning._dynoscope = True  # type: ignore[attr-defined]
    return beginning


def _begun(connection: Any, request: Request, method: str, url: str) -> OutgoingCall:
    connected_for, started_ns = vars(connection).pop(_CONNECTING, (None, 0))
    if connected_for is not request:
        started_ns = perf_counter_ns()
    return OutgoingCall(request, _name(connection, request, method, url), started_ns)


def _sending(endheaders: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(endheaders)
    def sending(self: Any, *arguments: Any, **named: Any) -> Any:
        call: Optional[OutgoingCall] = vars(self).get(_CALL)
        if call is None:
            return endheaders(self, *arguments, **named)
        try:
            if not _is_traced(self):
                for header in call.headers():
                    self.putheader(*header)
        except Exception:
            guard.swallowed()
        try:
            return endheaders(self, *arguments, **named)
        except BaseException:
            if vars(self).pop(_CALL, None) is call:
                call.end(ERROR)
            raise

    return sending


def _is_traced(connection: Any) -> bool:
    """Whether a traceparent was put: nothing public tells, but the lines so far."""
    for line in vars(connection).get("_buffer", ()):  # noqa: SIM110 - twice as fast as any()
        if line[:12].lower() == b"traceparent:":
            return True
    return False


def _ending(getresponse: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(getresponse)
    def ending(self: Any, *arguments: Any, **named: Any) -> Any:
        call: Optional[OutgoingCall] = vars(self).pop(_CALL, None)
        if call is None:
            return getresponse(self, *arguments, **named)
        try:
            response = getresponse(self, *arguments, **named)
        except BaseException:
            call.end(ERROR)
            raise
        call.end(OK, response.status)
        return response

    return ending


def _closing(close: Callable[..., Any]) -> Callable[..., Any]:
    """A connection that is closed in the middle of a call: sending the body failed."""

    @functools.wraps(close)
    def closing(self: Any) -> Any:
        call: Optional[OutgoingCall] = vars(self).pop(_CALL, None)
        if call is not None:
            call.end(ERROR)
        return close(self)

    return closing


def _connecting(connect: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(connect)
    def connecting(self: Any) -> Any:
        request = current_request()
        if request is None or _CALL in vars(self):  # within a call: counted already
            return connect(self)
        started_ns = perf_counter_ns()
        vars(self)[_CONNECTING] = (request, started_ns)
        try:
            return connect(self)
        except BaseException:
            vars(self).pop(_CONNECTING, None)
            try:
                name = _name(self, request, "CONNECT", "")
                OutgoingCall(request, name, started_ns).end(ERROR)
            except Exception:
                guard.swallowed()
            raise

    connecting._dynoscope = True  # type: ignore[attr-defined]
    return connecting


def _name(connection: Any, request: Request, method: str, url: str) -> str:
    """`GET host`, with the port if it is not the scheme's own; behind a proxy the host meant."""
    attributes = vars(connection)
    host, port = attributes.get("_tunnel_host"), attributes.get("_tunnel_port")
    if not host and not url.startswith("/") and "://" in url:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    if not host:
        host, port = connection.host, connection.port
    return host_name(request, method, str(host), port, connection.default_port)
