"""httpx: a call is counted where its transport sends it, in threads and on event loops."""

from __future__ import annotations

import functools
from time import perf_counter_ns
from types import ModuleType
from typing import Any, Callable, Optional

from dynoscope_probe import guard
from dynoscope_probe.imports import when_imported
from dynoscope_probe.outgoing import TRACEPARENT, OutgoingCall, host_name
from dynoscope_probe.request import ERROR, OK, Request, current_request

__all__ = ["install"]

#: The call, and the headers that were added for it.
Begun = tuple[OutgoingCall, list[tuple[str, str]]]


def install() -> None:
    """Hook into httpx as soon as it is imported."""
    when_imported("httpx", _hook)


def _hook(module: ModuleType) -> None:
    for transport, name, wrap in (
        (module.HTTPTransport, "handle_request", _handling),
        (module.AsyncHTTPTransport, "handle_async_request", _handling_async),
    ):
        handle = getattr(transport, name)
        if not hasattr(handle, "_dynoscope"):
            handling: Any = wrap(handle)
            handling._dynoscope = True
            setattr(transport, name, handling)


def _handling(handle: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(handle)
    def handling(self: Any, sent: Any) -> Any:
        request = current_request()
        if request is None:
            return handle(self, sent)
        begun = _begun(request, sent)
        response = None
        try:
            response = handle(self, sent)
            return response
        finally:
            _ended(begun, sent, response)

    return handling


def _handling_async(handle: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(handle)
    async def handling(self: Any, sent: Any) -> Any:
        request = current_request()
        if request is None:
            return await handle(self, sent)
        begun = _begun(request, sent)
        response = None
        try:
            response = await handle(self, sent)
            return response
        finally:
            _ended(begun, sent, response)

    return handling


def _begun(request: Request, sent: Any) -> Optional[Begun]:
    try:
        url = sent.url
        default_port = 443 if url.scheme == "https" else 80
        name = host_name(request, sent.method, url.host, url.port, default_port)
        call = OutgoingCall(request, name, perf_counter_ns())
        added = [] if TRACEPARENT in sent.headers else call.headers()
        sent.headers.update(added)
        return call, added
    except Exception:
        guard.swallowed()
        return None


def _ended(begun: Optional[Begun], sent: Any, response: Any) -> None:
    try:
        if begun is not None:
            call, added = begun
            call.end(ERROR if response is None else OK, getattr(response, "status_code", 0))
            for name, _ in added:  # a redirect copies the headers: the next call has its own
                sent.headers.pop(name, None)
    except Exception:
        guard.swallowed()
