"""ASGI applications: on Starlette, on Django, and without a framework."""

import asyncio
import contextlib

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import JSONResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

import dynoscope_probe
from dynoscope_probe.request import current_request
from tests.probe.apps.plain_app import endpoint_frames

#: Requests that wait for each other.
waiting = []


async def user(request):
    with dynoscope_probe.flag("user", request.path_params.get("id")):
        return JSONResponse(endpoint_frames())


async def together(request):
    """Answers once two requests are here, with what the probe holds each of them for."""
    with dynoscope_probe.flag("who", request.path_params["who"]):
        waiting.append(request)
        while len(waiting) < 2:
            await asyncio.sleep(0.01)
    mine = current_request()
    mine.add_cache_call("a call", 0, 5, 0)
    return JSONResponse(mine.flags)


async def broken(request):
    raise LookupError("broken for 'somebody'")


async def streaming(request):
    async def parts():
        while True:
            yield b"part "
            await asyncio.sleep(0.02)

    return StreamingResponse(parts())


async def lazy(request):
    """Works on after its response."""

    async def work():
        await asyncio.sleep(0.5)
        current_request().add_cache_call("afterwards", 0, 0, 0)

    return PlainTextResponse("soon", background=BackgroundTask(work))


async def echo(websocket):
    await websocket.accept()
    await websocket.send_text((await websocket.receive_text()) + repr(current_request()))
    await websocket.close()


def in_thread(request):
    mine = current_request()
    mine.add_cache_call("a call", 0, 5, 0)
    return PlainTextResponse("from a thread")


class Passing(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        return await call_next(request)


@contextlib.asynccontextmanager
async def lifespan(app):
    yield {"started": True}


async def started(request):
    return JSONResponse(request.state.started)


shared = [Route("/items/{item:int}", user), Route("/{id}", user, methods=["PUT"])]
starlette = Starlette(
    routes=[
        Route("/users/{id:int}", user),
        Route("/together/{who}", together),
        Route("/broken", broken),
        Route("/streaming", streaming),
        Route("/lazy", lazy),
        Route("/thread", in_thread),
        Route("/started", started),
        WebSocketRoute("/echo", echo),
        Mount("/v1/{tenant}", routes=shared),
        Mount("/v2", app=Starlette(routes=shared)),
        Mount("/files", app=StaticFiles(directory=".")),
    ],
    middleware=[Middleware(Passing)],
    lifespan=lifespan,
)
application = dynoscope_probe.asgi(starlette)


async def plain(scope, receive, send):
    """An application without a framework."""
    if scope["path"] == "/broken":
        raise LookupError("broken")
    if scope["path"] == "/nothing":
        return
    body = "\n".join(endpoint_frames()).encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


frameless = dynoscope_probe.asgi(plain)


def django():
    from django.core.asgi import get_asgi_application
    from django.http import HttpResponse
    from django.urls import path

    from tests.probe.apps import django_app  # noqa: F401 - configures Django

    async def view(request, number):
        await asyncio.sleep(0)
        return HttpResponse(repr(endpoint_frames()))

    async def failing(request):
        raise ValueError("failing")

    django_app.urlpatterns += [path("async/<int:number>/", view), path("failing/", failing)]
    return dynoscope_probe.asgi(get_asgi_application())
