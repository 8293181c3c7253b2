"""Every request of real servers is profiled: they answer as before, and say what it was."""

import json
import signal
import subprocess
import sys

from tests.probe.apps import profiled_app
from tests.probe.reading import read_rings, records_in
from tests.probe.serving import APPS, UWSGI, environment, free_port, get, process, server, wait_for

ROOT = str(APPS.parents[2])
EVERY = {"DYNOSCOPE_DEEP_RATE": "1"}


def costs_in(ring_dir):
    """(endpoint, function, caller) -> calls in each profiled request."""
    found = {}
    for ring in read_rings(ring_dir):
        for row in ring.function_costs:
            ids = (row["endpoint_id"], row["function_id"], row["caller_id"])
            found.setdefault(tuple(ring.text(one) for one in ids), []).append(row["calls"])
    return found


def uwsgi(port, module, *more):
    paths = ["--pythonpath", str(APPS), "--pythonpath", ROOT]
    return [
        *UWSGI, "--http-socket", f"127.0.0.1:{port}", "--processes", "2", *paths, "--module",
        module, "--import", "dynoscope_probe.uwsgi", "--py-call-osafterfork", *more,
    ]  # fmt: skip


def test_flask_under_uwsgi(ring_dir):
    port = free_port()
    tiny = ("GET /work/<number>", "profiled_app:tiny", "profiled_app:many_tiny")
    with server(uwsgi(port, "profiled_app:app"), environment(ring_dir, **EVERY), port):
        bodies = {get(port, f"/work/{number}") for number in [3] * 8}
        wait_for(lambda: len(costs_in(ring_dir).get(tiny, ())) == 8, "eight profiles")
    assert costs_in(ring_dir)[tiny] == [profiled_app.TINY_CALLS] * 8
    ((status, body),) = bodies
    assert (status, set(json.loads(body))) == (200, {"sum"})


def test_django_under_uwsgi_with_threads(ring_dir):
    port = free_port()
    argv = uwsgi(port, "django_app:application", "--threads", "4")
    caller = "django.core.handlers.base:BaseHandler._get_response"
    with server(argv, environment(ring_dir, **EVERY), port):
        answers = [get(port, path)[0] for path in ("/media/7/", "/streaming/", "/broken/") * 3]
        wait_for(lambda: len(records_in(ring_dir)) == 9, "nine records")
        wait_for(lambda: len(profiled_requests(ring_dir)) == 9, "nine profiles")
    assert answers == [200, 200, 500] * 3
    calls = costs_in(ring_dir)
    # A worker's first requests import so much that cheap views are among the rest.
    for view in (("GET /media/<media_id>/", "media"), ("GET /broken/", "broken")):
        assert set(calls[view[0], f"django_app:{view[1]}", caller]) == {1}


def profiled_requests(ring_dir):
    return {
        (ring.header["ring_id"], row["started_ns"])
        for ring in read_rings(ring_dir)
        for row in ring.function_costs
    }


def test_tasks_of_celery(ring_dir, tmp_path):
    for folder in ("messages", "control"):
        (tmp_path / folder).mkdir()
    env = environment(ring_dir, BROKER_DIR=str(tmp_path), **EVERY)
    celery = [sys.executable, "-m", "celery", "-A", "tests.probe.apps.celery_app", "worker"]
    calls = [("feed.fan_out", (0.02,))] * 3 + [("feed.broken",)]
    code = f"from tests.probe.apps.celery_app import app\nfor c in {calls!r}: app.send_task(*c)"
    subprocess.run([sys.executable, "-c", code], env=env, cwd=ROOT, check=True)
    argv = [*celery, "-c", "2", "--without-gossip", "--without-mingle"]
    with process(argv, env, cwd=ROOT, stop=signal.SIGQUIT):
        wait_for(lambda: len(profiled_requests(ring_dir)) == 4, "four profiles")
    outcomes = sorted(
        (ring.text(record["endpoint_id"]), record["outcome"], record["unit"])
        for ring in read_rings(ring_dir)
        for record in ring.records
    )
    assert outcomes == [("task feed.broken", 1, 0)] + [("task feed.fan_out", 0, 0)] * 3
    named = {endpoint for endpoint, _, _ in costs_in(ring_dir)}
    assert named == {"task feed.broken", "task feed.fan_out"}
