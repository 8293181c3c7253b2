"""A WSGI application without a framework."""

import itertools
import os
import sys
import time
from typing import Any


def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/crash":
        raise RuntimeError("crashed for 'somebody@example.org'")
    if path == "/busy":
        busy(float(environ["QUERY_STRING"]))
    if path == "/kill":
        os.kill(os.getpid(), 9)
    start_response("200 OK", [("Content-Type", "text/plain")])
    if path == "/stream":
        return stream()
    if path == "/endless":
        return itertools.repeat(b"part " * 1000)
    return [b"plain %d" % os.getpid()]


def stream():
    for _ in range(3):
        busy(0.02)
        yield b"part "


def busy(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def endpoint_frames():
    """Names of the endpoint frames that the caller runs in, outermost first."""
    frame: Any = sys._getframe(1)
    found: list[str] = []
    while frame is not None:
        if frame.f_code.co_filename == "<endpoint>":
            found.insert(0, frame.f_code.co_name)
        frame = frame.f_back
    return found


def create_app():
    return application
