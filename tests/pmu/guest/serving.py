"""Serves the experiments' application under wsgiref, with the probe, in processes of its own."""

import contextlib
import http.client
import os
import signal
import socketserver
import time
import wsgiref.simple_server
from dataclasses import dataclass

import dynoscope_probe
from tests.pmu.guest.loops import machine_loop, python_loop, while_loop
from tests.probe.reading import read_rings

#: What is told of a record.
TOLD = ("unit", "cost", "task_clock_ns", "ctx_switches", "started_ns", "wall_ns")
LOOPS = {"/python": python_loop, "/while": while_loop}


def application(environ, start_response):
    """GET /python?PASSES and /while?PASSES run Python loops, other paths the machine loop."""
    path, passes = environ["PATH_INFO"], int(environ["QUERY_STRING"])
    dynoscope_probe.set_endpoint(f"GET {path}")
    start_response("200 OK", [("Content-Type", "text/plain")])
    if path == "/stream":
        return stream(passes)
    LOOPS.get(path, machine_loop)(passes)
    return [b"done"]


def stream(passes):
    for _ in range(4):
        machine_loop(passes // 4)
        time.sleep(0.001)
        yield b"part"


class Quiet(wsgiref.simple_server.WSGIRequestHandler):
    def log_message(self, *arguments):
        pass


class Threaded(socketserver.ThreadingMixIn, wsgiref.simple_server.WSGIServer):
    daemon_threads = True


@dataclass
class Serving:
    """A server: its port, its pid, the folder of its rings."""

    port: int
    pid: int
    folder: str

    def get(self, path, passes):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", f"{path}?{passes}")
        body = connection.getresponse().read()
        connection.close()
        return body

    def rings(self, requests):
        """The rings, once they hold so many requests."""
        end = time.monotonic() + 30
        while time.monotonic() < end:
            rings = read_rings(self.folder)
            if sum(len(ring.records) for ring in rings) >= requests:
                return rings
            time.sleep(0.01)
        raise AssertionError(f"{requests} records did not come")

    def records(self, requests):
        """{path: its records in order} of all rings, once they hold so many requests."""
        found = {}
        for ring in self.rings(requests):
            for path, records in by_path(ring).items():
                found.setdefault(path, []).extend(records)
        return found


def by_path(ring):
    """{path: its records in order} of one ring, each as what the host's tests need of it."""
    found = {}
    for record in ring.records:
        path = ring.text(record["endpoint_id"]).removeprefix("GET ")
        found.setdefault(path, []).append({name: record[name] for name in TOLD})
    return found


@contextlib.contextmanager
def serving(name, threaded=False, before=None, serve=None):
    """A server in a forked process; `before()` runs in it first, `serve(server)` instead of
    serving for ever."""
    folder = f"/dev/shm/{name}"
    ready, told = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.environ["DYNOSCOPE_RING_DIR"] = folder
        if before is not None:
            before()
        server = wsgiref.simple_server.make_server(
            "127.0.0.1", 0, dynoscope_probe.wsgi(application),
            Threaded if threaded else wsgiref.simple_server.WSGIServer, Quiet,
        )  # fmt: skip
        os.write(told, b"%d\n" % server.server_port)
        (serve or type(server).serve_forever)(server)
        os._exit(0)
    os.close(told)
    with open(ready) as pipe:
        port = int(pipe.readline())
    try:
        yield Serving(port, pid, folder)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
