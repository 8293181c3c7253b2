"""Starlette and FastAPI: a request goes on in its endpoint's frame as soon as it is routed."""

from __future__ import annotations

import functools
from typing import Any, Callable

from starlette.routing import Route

from dynoscope_probe import guard
from dynoscope_probe.endpoint import async_endpoint_frame, endpoint_name, without_frames
from dynoscope_probe.request import HTTP, current_request
from dynoscope_probe.scopes import template_of

__all__ = ["install"]


def install() -> None:
    """Hook into the routes' `handle`, once."""
    if not hasattr(Route.handle, "_dynoscope"):
        Route.handle = _in_frame(Route.handle)  # type: ignore[method-assign]


def _in_frame(handle: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(handle)
    async def handling(self: Any, scope: Any, receive: Any, send: Any) -> None:
        frame = _frame(self, scope)
        try:
            if frame is None:
                await handle(self, scope, receive, send)
            else:
                await frame(handle, self, scope, receive, send)
        except BaseException as error:
            error.__traceback__ = without_frames(error.__traceback__, __file__)
            raise

    handling._dynoscope = True  # type: ignore[attr-defined]
    return handling


def _frame(routed: Any, scope: Any) -> Any:
    """The frame of the route, by which the request is named; None: stay in the one there is."""
    try:
        counted = current_request()
        if counted is None or counted.kind != HTTP:
            return None
        route = template_of(scope, routed)
        if route is None:
            return None
        counted.name(endpoint_name(scope["method"], route))
        return async_endpoint_frame(counted.frame.__name__)
    except Exception:
        guard.swallowed()
        return None
