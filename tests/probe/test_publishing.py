"""A trace goes on from a request to the tasks that it hands out, and from those to theirs."""

import shutil
import signal
import subprocess
import sys

import pytest

from dynoscope_probe.trace import traceparent_of
from tests.probe.reading import records_in, spans_in
from tests.probe.serving import APPS, environment, free_port, process, server, wait_for

ROOT = str(APPS.parents[2])
WORKER = [
    sys.executable, "-m", "celery", "-A", "tests.probe.apps.celery_app", "worker", "-P", "threads",
    "-c", "2", "--without-gossip", "--without-mingle",
]  # fmt: skip
TRACE = (0x0AF7651916CD43DD, 0x8448EB211C80319C, 1, 0, 0xB7AD6B7169203331)

#: A request that publishes: within the probe's middleware, with what its caller sent along.
REQUEST = """
import dynoscope_probe
from tests.probe.apps.celery_app import app
from tests.probe.test_middleware import call

def publishing(environ, start_response):
    app.send_task("feed.chain")
    app.send_task("feed.chain", headers={{"traceparent": {own!r}}})
    start_response("200 OK", [])
    return [b""]

call(dynoscope_probe.wsgi(publishing), HTTP_TRACEPARENT={traceparent!r}, HTTP_TRACESTATE="a=1")
app.send_task("feed.fan_out", (0.0,))
"""


@pytest.fixture(params=["files", "redis"])
def env(request, ring_dir, tmp_path):
    for folder in ("messages", "control"):
        (tmp_path / folder).mkdir()
    env = environment(ring_dir, BROKER_DIR=str(tmp_path), DYNOSCOPE_SPAN_RATE="0")
    if request.param == "files":
        yield env
        return
    port = free_port()
    argv = [shutil.which("redis-server"), "--bind", "127.0.0.1", "--save", "", "--port", str(port)]
    with server(argv, env, port, cwd=tmp_path):
        yield {**env, "BROKER_URL": f"redis://127.0.0.1:{port}"}


def test_a_trace_goes_on_through_messages(ring_dir, env):
    own = traceparent_of((7, 8, 1, 0, 0), 9)
    traceparent = traceparent_of(TRACE, TRACE[4])
    code = REQUEST.format(own=own, traceparent=traceparent)
    subprocess.run([sys.executable, "-c", code], env=env, cwd=ROOT, check=True)
    with process(WORKER, env, cwd=ROOT, stop=signal.SIGQUIT):
        wait_for(lambda: len(records_in(ring_dir)) == 6, "the request and five tasks")
        wait_for(lambda: len(served(ring_dir)) == 5, "the spans of all but the last task")
    spans = served(ring_dir)
    request = spans["GET (unmatched)", TRACE[1]]
    chain, child = spans["task feed.chain", TRACE[1]], spans["task feed.fan_out", TRACE[1]]
    assert (request["parent_id"], chain["parent_id"]) == (TRACE[4], request["span_id"])
    assert child["parent_id"] == chain["span_id"]
    assert spans["task feed.chain", 8]["parent_id"] == 9
    assert spans["task feed.fan_out", 8]["parent_id"] == spans["task feed.chain", 8]["span_id"]
    assert len(spans) == 5  # the task that was sent outside a request begins a trace of its own
    unkept = [r for name, r in records_in(ring_dir) if not r["trace_sampled"]]
    assert len(unkept) == 1 and unkept[0]["trace_id_low"] not in (TRACE[1], 8)


def served(ring_dir):
    """Spans of requests and tasks by name and the lower half of their trace."""
    return {
        (name, span["trace_id_low"]): span
        for kind, name, span in spans_in(ring_dir)
        if kind in ("request", "task")
    }
