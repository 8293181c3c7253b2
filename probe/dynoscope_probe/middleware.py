"""The WSGI middleware: names the endpoint, calls through its frame, counts until close()."""

from __future__ import annotations

import sys
from typing import Any, Callable, Iterable, Iterator, Optional

from dynoscope_probe import fast, guard
from dynoscope_probe.endpoint import endpoint_name, without_endpoint_frames
from dynoscope_probe.errors import note_error
from dynoscope_probe.request import (
    DISCONNECTED,
    ERROR,
    HTTP,
    OK,
    Request,
    begin_request,
    compiled_core,
)
from dynoscope_probe.routes import Resolver, resolver_of

__all__ = ["Middleware", "wsgi"]

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


def wsgi(application: Any) -> Any:
    """The WSGI application with the probe around it.

    A Flask application is wrapped within (its `wsgi_app`) and stays what it is; another callable is
    returned as a `Middleware`, which passes attributes on. Wrapping twice changes nothing.
    """
    try:
        if isinstance(application, Middleware):
            return application
        flask = sys.modules.get("flask")
        if flask is not None and isinstance(application, flask.Flask):
            if not isinstance(application.wsgi_app, Middleware):
                inner = Middleware(application.wsgi_app, routed_by=application)
                application.wsgi_app = inner
            return application
        return Middleware(application) if callable(application) else application
    except Exception:
        guard.swallowed()
        return application


class Middleware:
    """A WSGI application that counts what each request to another one costs."""

    def __init__(self, application: Application, routed_by: Any = None) -> None:
        """`routed_by`: whose routes name the endpoints, where it is not the application."""
        self._application = application
        self._routed_by = application if routed_by is None else routed_by
        self._resolve: Optional[Resolver] = None

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        request = begin_request(HTTP, self._endpoint, environ)
        if request is None:
            return self._application(environ, start_response)

        def start(*arguments: Any, **named: Any) -> Any:  # some servers take keywords
            status = arguments[0] if arguments else named.get("status")
            request.status_line = status if isinstance(status, str) else ""
            return start_response(*arguments, **named)

        try:
            response = request.frame(self._application, environ, start)
        except BaseException as error:
            _failed(request, error)
            raise
        return _within(request, _counted, request, response, environ)  # type: ignore[no-any-return]

    def __getattr__(self, name: str) -> Any:
        if name == "_application":  # not there yet: it is being copied or unpickled
            raise AttributeError(name)
        return getattr(self._application, name)

    def _endpoint(self, environ: Environ) -> tuple[str, Any]:
        resolve = self._resolve
        if resolve is None:
            resolve = self._resolve = resolver_of(self._routed_by)
        route, routing = resolve(environ)
        return endpoint_name(environ["REQUEST_METHOD"], route), routing


class Body:
    """A response while it is sent: its parts are made within the endpoint's frame."""

    def __init__(self, request: Request, response: Iterable[bytes]) -> None:
        self._request = request
        self._response = response
        self._parts: Optional[Iterator[bytes]] = None
        self._complete = False

    def __iter__(self) -> Body:
        return self

    def __next__(self) -> bytes:
        request = self._request
        request.running = True
        try:
            if self._parts is None:
                self._parts = request.frame(iter, self._response)
            part: bytes = request.frame(next, self._parts)
        except StopIteration:
            self._complete = True
            raise
        except BaseException as error:
            _failed(request, error)
            raise
        finally:
            request.running = False
        return part

    def close(self) -> None:
        """The server is done with the response: before its last part if the client went away."""
        request = self._request
        request.running = True
        try:
            close = getattr(self._response, "close", None)
            if close is not None:
                request.frame(close)
        except BaseException as error:
            _failed(request, error)
            raise
        _within(request, request.end, _outcome(request) if self._complete else DISCONNECTED)


class SizedBody(Body):
    """A response whose number of parts is known; servers make a Content-Length of one part."""

    def __len__(self) -> int:
        return len(self._response)  # type: ignore[arg-type]


def _counted(request: Request, response: Any, environ: Environ) -> Iterable[bytes]:
    """The response to give to the server; ends the count at once where no code is left to run."""
    request.running = False
    if type(response) in (list, tuple) or _is_file(response, environ):
        request.end(_outcome(request))
        return response  # type: ignore[no-any-return]
    return (SizedBody if hasattr(type(response), "__len__") else Body)(request, response)


def _within(request: Request, call: Callable[..., Any], *arguments: Any) -> Any:
    """Do the probe's own part of a request in its frame, too; a profile is of the application."""
    return call(*arguments) if request.deep is not None else request.frame(call, *arguments)


def _is_file(response: Any, environ: Environ) -> bool:
    """Whether the server sends the response as a file, which it knows by its type or identity."""
    try:
        file_wrapper = environ.get("wsgi.file_wrapper")
        if isinstance(file_wrapper, type):
            return isinstance(response, file_wrapper)
        return file_wrapper is not None and hasattr(response, "read")
    except Exception:  # the application's __getattr__ or __instancecheck__
        guard.swallowed()
        return False


def _outcome(request: Request) -> int:
    return ERROR if request.status >= 500 else OK


def _failed(request: Request, error: BaseException) -> None:
    """An exception leaves the application: keep it as it would be without the probe, note it."""
    try:
        error.__traceback__ = without_endpoint_frames(error.__traceback__)
        note_error(request, error)
    except Exception:
        guard.swallowed()
    request.end(ERROR)


if compiled_core is not None:
    compiled_core.failed, compiled_core.is_file = _failed, _is_file
    Middleware = fast.compiled_class(  # type: ignore[assignment, misc]
        fast.compiled().Caller, Middleware, _core=compiled_core
    )
