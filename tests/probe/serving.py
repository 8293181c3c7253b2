"""Starts real servers on free loopback ports and ends what it started."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.probe.reading import records_in

BIN = Path(sys.executable).parent
APPS = Path(__file__).parent / "apps"
UWSGI = [str(BIN / "uwsgi"), "--master", "--die-on-term", "--need-app", "--disable-logging"]
#: Against a hang only.
DEADLINE_S = 120


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def environment(ring_dir, **more):
    """Environment of a server: the probe's settings, nothing inherited that would change it."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DYNOSCOPE_", "UWSGI_"))}
    kept.pop("PYTHONPATH", None)
    return {
        **kept,
        "DYNOSCOPE_RING_DIR": str(ring_dir),
        "TEST_LOG_DIR": str(Path(ring_dir).parent),
        "DYNOSCOPE_SERVICE": "shop",
        "PYTHONDONTWRITEBYTECODE": "1",
        **more,
    }


@contextlib.contextmanager
def process(argv, env, cwd=APPS, stop=signal.SIGTERM):
    """A process with its output in a file; ended with its whole session."""
    log = Path(env["TEST_LOG_DIR"]) / f"log-{time.monotonic_ns()}"
    with log.open("wb") as output:
        running = subprocess.Popen(
            argv, env=env, cwd=cwd, stdout=output, stderr=output, start_new_session=True
        )
        running.log = log
        try:
            yield running
        finally:
            running.send_signal(stop)
            try:
                running.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(running.pid, signal.SIGKILL)
                running.wait()


@contextlib.contextmanager
def server(argv, env, port, cwd=APPS, stop=signal.SIGTERM):
    """A server that answers on `port`; gives the process."""
    with process(argv, env, cwd, stop) as running:
        wait_for(lambda: answers(port) or _gone(running))
        yield running


def _gone(running):
    assert running.poll() is None, running.log.read_text()[-3000:]
    return False


def answers(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def wait_for(condition, what="the condition", deadline_s=DEADLINE_S):
    """Poll until true; its value."""
    end = time.monotonic() + deadline_s
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"waited {deadline_s} s in vain for {what}")


def wait_for_records(ring_dir, count):
    """Until so many requests are recorded: a server may record one after it has answered it."""
    wait_for(lambda: len(records_in(ring_dir)) >= count, f"{count} records")


def get(port, path, **headers):
    """(status, body) of a GET."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def fetching(url, **streams):
    """A client in a process of its own, which writes the answer to its standard output."""
    code = (
        "import sys, urllib.request; "
        "sys.stdout.buffer.write(urllib.request.urlopen(sys.argv[1]).read())"
    )
    return subprocess.Popen([sys.executable, "-c", code, url], **streams)
