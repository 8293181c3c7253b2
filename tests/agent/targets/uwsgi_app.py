"""A uWSGI application that computes and waits, with a ring in the folder RINGS names."""

import os
import sys
import time
from pathlib import Path

import uwsgi

from tests.agent.rings import make_ring, write

RINGS = []


def compute():
    end = time.thread_time() + 0.004
    while time.thread_time() < end:
        for _ in range(100):
            pass


def wait():
    time.sleep(0.006)


def view():
    compute()
    wait()
    return [b"ok"]


def trampoline(call):
    return call()


trampoline.__code__ = trampoline.__code__.replace(
    co_name="GET /", co_qualname="GET /", co_filename="<endpoint>"
)


def application(environ, start_response):
    if not RINGS:
        folder = Path(os.environ["RINGS"])
        RINGS.append(make_ring(folder, sys_path="\n".join(sys.path), worker=uwsgi.worker_id()))
    if environ["PATH_INFO"] == "/raise":
        raise ValueError("as asked")
    if environ["PATH_INFO"] == "/hang":
        time.sleep(30)
    body = trampoline(view)
    write(RINGS[0], 1, endpoint="GET /")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return body
