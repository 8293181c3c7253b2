"""Greenlets share a thread: no cost, and nothing of one request gets into another."""

import subprocess
import sys
import threading

import greenlet
import pytest

import dynoscope_probe
from dynoscope_probe import layout
from tests.probe.reading import read_rings, records_in
from tests.probe.serving import APPS, environment, free_port, get, server, wait_for_records
from tests.probe.test_middleware import call, respond

ROOT = str(APPS.parents[2])
NONE = layout.UNITS.index("none")


@pytest.mark.parametrize("how", ["patched", "unpatched"])
def test_interleaved_requests_of_a_gevent_server(ring_dir, how):
    port = free_port()
    command = [sys.executable, "-m", "tests.probe.apps.gevent_app", str(port), how]
    answers = {}
    with server(command, environment(ring_dir), port, cwd=ROOT):
        clients = [
            threading.Thread(target=lambda who=who: answers.update({who: get(port, who)}))
            for who in ("/a", "/b")
        ]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        wait_for_records(ring_dir, 2)
    assert answers == {who: (200, repr({"who": who}).encode()) for who in ("/a", "/b")}
    (ring,) = read_rings(ring_dir)
    assert {ring.text(record["flags_id"]) for record in ring.records} == {"who=/a", "who=/b"}
    for record in ring.records:
        assert (record["unit"], record["cost"], record["task_clock_ns"]) == (NONE, 0, 0)
        assert (record["status"], record["outcome"]) == (200, 0)
        assert record["wall_ns"] > 0.02e9
    assert ring.counters["probe_errors"] == 0
    assert ring.in_flight == []


def test_requests_in_greenlets_without_gevent(ring_dir):
    """Two requests that another switcher interleaves, as SQLAlchemy's or a scheduler's own."""

    def application(environ, start_response):
        with dynoscope_probe.flag("who", environ["PATH_INFO"]):
            main.switch()
        return respond(environ, start_response)

    wrapped = dynoscope_probe.wsgi(application)
    main = greenlet.getcurrent()
    first, second = (greenlet.greenlet(lambda p=path: call(wrapped, path=p)) for path in "ab")
    for one in (first, second, first, second):
        one.switch()
    assert first.dead and second.dead
    (ring,) = read_rings(ring_dir)
    assert [ring.text(record["flags_id"]) for record in ring.records] == ["who=a", "who=b"]
    assert {record["unit"] for record in ring.records} == {NONE}


def test_greenlet_on_board_is_not_greenlets_in_use(ring_dir):
    """Libraries import greenlet, and gevent, that the requests have nothing to do with."""
    code = """
import gevent.monkey, greenlet
import dynoscope_probe
from tests.probe.test_middleware import call, respond
call(dynoscope_probe.wsgi(respond))
"""
    subprocess.run([sys.executable, "-c", code], env=environment(ring_dir), cwd=ROOT, check=True)
    ((_, record),) = records_in(ring_dir)
    assert record["unit"] != NONE
    assert record["cost"] > 0
