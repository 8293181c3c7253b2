"""ASGI: one record a request, with endpoint, wall time, status and calls.

Requests share the event loop's thread, so there is no cost: unit `none`. Lifespan and websocket
pass through untouched. The endpoint is known once the framework has routed: Django and Starlette
(FastAPI) name it then and go on in a frame of that name; others say it by `scope["route"]`.
"""

from __future__ import annotations

import sys
from contextvars import ContextVar
from threading import get_ident, get_native_id
from time import perf_counter_ns
from typing import Any, Awaitable, Callable

from dynoscope_probe import guard
from dynoscope_probe.endpoint import async_endpoint_frame, endpoint_name, without_frames
from dynoscope_probe.errors import note_error
from dynoscope_probe.process import Process, current_process
from dynoscope_probe.request import (
    DISCONNECTED,
    ERROR,
    HTTP,
    OK,
    Request,
    begin_request,
    current_request,
    set_current_request,
)
from dynoscope_probe.routes import install_django
from dynoscope_probe.scopes import template_of

__all__ = ["AsgiMiddleware", "asgi"]

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]

_TRACE_HEADERS = {b"traceparent": "HTTP_TRACEPARENT", b"tracestate": "HTTP_TRACESTATE"}
#: Messages that may end a response.
_BODIES = ("http.response.body", "http.response.pathsend")
#: How asyncio and trio end a task, and the interpreter one that nobody waits for any more.
_CANCELLED = ("CancelledError", "Cancelled", "GeneratorExit")
#: The header list of the request that this task is in. A scope that is copied keeps its list; the
#: next request of a connection may begin in a task that inherits this one's context.
_headers: ContextVar[Any] = ContextVar("dynoscope_headers", default=None)


def asgi(application: Any) -> Any:
    """The ASGI application (version 3) with the probe around it; wrapping twice changes nothing."""
    if isinstance(application, AsgiMiddleware) or not callable(application):
        return application
    return AsgiMiddleware(application)


class AsgiMiddleware:
    """An ASGI application that counts the requests to another one."""

    def __init__(self, application: Callable[..., Any]) -> None:
        self._application = application
        self._hooked = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> Any:
        if scope["type"] != "http":
            return await self._application(scope, receive, send)
        exchange = self._begin(scope, receive, send)
        if exchange is None:
            return await self._application(scope, receive, send)
        try:
            result = await exchange.frame(self._application, scope, exchange.receive, exchange.send)
        except BaseException as error:
            exchange.failed(error)
            raise
        exchange.end()
        return result

    def __getattr__(self, name: str) -> Any:
        if name == "_application":  # not there yet: it is being copied or unpickled
            raise AttributeError(name)
        return getattr(self._application, name)

    def _begin(self, scope: Scope, receive: Receive, send: Send) -> Any:
        """The exchange that is counted; None where nothing is, or already."""
        try:
            if not self._hooked:
                self._hooked = True
                _install_hooks()
            outside = current_request(), _headers.get()
            headers = scope.get("headers")
            if headers is not None and headers is outside[1]:
                return None
            request = _begin_request(scope)
            if request is None:
                return None
            _headers.set(headers)
            return Exchange(request, outside, scope, receive, send)
        except Exception:
            guard.swallowed()
            return None


class InFlight:
    """One of many requests that a thread is in: it has a slot of its own, and no counter."""

    group = None

    def __init__(self, process: Process) -> None:
        self.ring = process.ring
        self.slot = process.ring.claim_slot()
        self.ident = get_ident()
        self.native_id = get_native_id()


class Exchange:
    """A request and its response while they pass."""

    def __init__(
        self, request: Request, outside: tuple[Any, Any], scope: Scope, receive: Receive, send: Send
    ) -> None:
        """`outside`: the request and the headers that the task was in before."""
        self.frame = async_endpoint_frame(request.frame.__name__)
        self._request = request
        self._first_id = request.endpoint_id
        self._outside = outside
        self._scope = scope
        self._receive = receive
        self._send = send
        self._disconnected = False
        #: When the last part of the response was sent (perf_counter_ns); 0: not yet.
        self._answered_ns = 0

    async def receive(self) -> Any:
        """The server's `receive`: tells when the client went away."""
        message = await self._receive()
        try:
            if message["type"] == "http.disconnect":
                self._disconnected = self._disconnected or not self._answered_ns
        except Exception:
            guard.swallowed()
        return message

    async def send(self, message: Any) -> None:
        """The server's `send`: tells the status, and when the response is complete."""
        await self._send(message)
        try:
            kind = message["type"]
            if kind == "http.response.start":
                self._request.status_line = "%d" % message["status"]
            elif kind in _BODIES and not message.get("more_body", False):
                self._answered_ns = perf_counter_ns()
        except Exception:
            guard.swallowed()

    def failed(self, error: BaseException) -> None:
        """The application raised: keep that as it would be without the probe, note it."""
        cancelled = type(error).__name__ in _CANCELLED and not self._answered_ns
        outcome = DISCONNECTED if self._disconnected or cancelled else ERROR
        try:
            error.__traceback__ = without_frames(error.__traceback__, __file__)
            if outcome == ERROR:
                note_error(self._request, error)
        except Exception:
            guard.swallowed()
        self._end(outcome)

    def end(self) -> None:
        """The application is done, its background work included."""
        if self._disconnected:
            self._end(DISCONNECTED)
        else:
            complete = self._answered_ns and self._request.status < 500
            self._end(OK if complete else ERROR)

    def _end(self, outcome: int) -> None:
        """Write the record; its wall time ends with the response."""
        request = self._request
        try:
            if request.endpoint_id == self._first_id:  # nobody has named it
                route = template_of(self._scope)
                if route is not None:
                    request.name(endpoint_name(self._scope["method"], route))
            if self._answered_ns:
                _end_earlier(request, perf_counter_ns() - self._answered_ns)
            request.end(outcome)
            request.process.ring.release_slot(request.thread.slot)
            set_current_request(self._outside[0])
            _headers.set(self._outside[1])
        except Exception:
            guard.swallowed()


def _end_earlier(request: Request, by_ns: int) -> None:
    """Leave out of the wall time what was done after the response, calls where they are."""
    request.started_monotonic_ns += by_ns
    for n, call in enumerate(request.calls):
        request.calls[n] = (*call[:2], call[2] + by_ns, call[3] + by_ns, *call[4:])


def _begin_request(scope: Scope) -> Any:
    process = current_process()
    if process is None:
        return begin_request(HTTP, _unrouted, {})  # which counts it as unrecorded
    set_current_request(None)
    environ = {"REQUEST_METHOD": scope["method"]}
    for name, value in scope.get("headers") or ():
        if name in _TRACE_HEADERS:
            environ[_TRACE_HEADERS[name]] = value.decode("latin-1")
    request = begin_request(HTTP, _unrouted, environ, InFlight(process))
    if request is not None:
        request.countable = False
    return request


def _unrouted(environ: dict[str, Any]) -> tuple[str, Any]:
    return endpoint_name(environ["REQUEST_METHOD"], None), None


def _install_hooks() -> None:
    install_django()
    if "starlette.routing" in sys.modules:
        from dynoscope_probe import starlette

        starlette.install()
