"""The WSGI middleware: names the endpoint, calls through its frame, counts until close()."""

from __future__ import annotations

import sys
from typing import Any, Callable, Iterable, Iterator, Optional

from dynoscope_probe import fast, guard
from dynoscope_probe.endpoint import endpoint_name, without_frames
from dynoscope_probe.errors import note_error
from dynoscope_probe.request import (
    DISCONNECTED,
    ERROR,
    HTTP,
    OK,
    Request,
    compiled_core,
    name_request,
    start_request,
)
from dynoscope_probe.routes import Resolver, resolver_of

__all__ = ["Middleware", "wsgi"]

_HERE = __file__
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
        named = name_request(self._endpoint, environ)
        if named is None:
            return self._application(environ, start_response)
        frame = named[3][0]
        try:
            return frame(self._serve, environ, start_response, named)  # type: ignore[no-any-return]
        except BaseException as error:
            _hide(error)
            raise

    def _serve(
        self, environ: Environ, start_response: Callable[..., Any], named: Any
    ) -> Iterable[bytes]:
        """All that can be done within the endpoint's frame."""
        request = start_request(HTTP, environ, named)
        if request is None:
            return self._application(environ, start_response)

        def start(*arguments: Any, **named: Any) -> Any:  # some servers take keywords
            status = arguments[0] if arguments else named.get("status")
            request.status_line = status if isinstance(status, str) else ""
            return start_response(*arguments, **named)

        try:
            if request.deep is None:
                response = self._application(environ, start)
            else:
                response = request.frame(self._application, environ, start)
        except BaseException as error:
            _failed(request, error)
            raise
        request.running = False
        if type(response) in (list, tuple) or _is_file(response, environ):
            request.end(_outcome(request))
            return response
        return (SizedBody if hasattr(type(response), "__len__") else Body)(request, response)

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
        return self._in_frame(_next_part)  # type: ignore[no-any-return]

    def close(self) -> None:
        """The server is done with the response: before its last part if the client went away."""
        self._in_frame(_close)

    def _in_frame(self, call: Callable[..., Any]) -> Any:
        """The probe's own part is in the endpoint's frame, too, unless the frame profiles."""
        request = self._request
        try:
            if request.deep is not None:
                return call(self, request, request.frame)
            return request.frame(call, self, request)
        except StopIteration:
            raise
        except BaseException as error:
            _hide(error)
            raise


class SizedBody(Body):
    """A response whose number of parts is known; servers make a Content-Length of one part."""

    def __len__(self) -> int:
        return len(self._response)  # type: ignore[arg-type]


def _next_part(body: Body, request: Request, through: Any = None) -> bytes:
    """The next part, asked for within the frame that is there, or `through` one."""
    request.running = True
    try:
        if body._parts is None:
            response = body._response
            body._parts = iter(response) if through is None else through(iter, response)
        parts = body._parts
        return next(parts) if through is None else through(next, parts)
    except StopIteration:
        body._complete = True
        raise
    except BaseException as error:
        _failed(request, error)
        raise
    finally:
        request.running = False


def _close(body: Body, request: Request, through: Any = None) -> None:
    request.running = True
    try:
        close = getattr(body._response, "close", None)
        if close is not None:
            close() if through is None else through(close)
    except BaseException as error:
        _failed(request, error)
        raise
    request.end(_outcome(request) if body._complete else DISCONNECTED)


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
        _hide(error)
        note_error(request, error)
    except Exception:
        guard.swallowed()
    request.end(ERROR)


def _hide(error: BaseException) -> None:
    """Take the probe's frames out of a traceback, so that error groups do not change."""
    error.__traceback__ = without_frames(error.__traceback__, _HERE)


if compiled_core is not None:
    compiled_core.failed, compiled_core.is_file = _failed, _is_file
    compiled_core.endpoint_name = endpoint_name
    Middleware = fast.compiled_class(  # type: ignore[assignment, misc]
        fast.compiled().Caller, Middleware, _core=compiled_core
    )
