import sys

import pytest

from dynoscope_probe import auto
from tests.probe.reading import read_rings, records_in
from tests.probe.serving import APPS, environment, free_port, get, server, wait_for_records


def gunicorn(port, *arguments):
    where = ["--bind", f"127.0.0.1:{port}", "--chdir", str(APPS), "--workers", "2"]
    return [sys.executable, "-m", "gunicorn", *where, *arguments, "plain_app:application"]


@pytest.mark.parametrize("how", [[], ["--preload"], ["--threads", "3"]])
def test_the_config_module_wraps_the_application(ring_dir, how):
    port = free_port()
    command = gunicorn(port, "-c", "python:dynoscope_probe.gunicorn", *how)
    with server(command, environment(ring_dir), port):
        for _ in range(10):
            assert get(port, "/")[0] == 200
        assert get(port, "/stream")[1] == b"part part part "
        assert get(port, "/crash")[0] == 500
        wait_for_records(ring_dir, 12)
    assert sorted(record["outcome"] for _, record in records_in(ring_dir)) == [0] * 11 + [1]
    assert {ring.header["worker"] for ring in read_rings(ring_dir)} <= {1, 2}


def test_by_the_environment_alone(ring_dir):
    port = free_port()
    command = gunicorn(port)
    with server(command, auto.environment(command, environment(ring_dir)), port):
        assert get(port, "/")[0] == 200
        wait_for_records(ring_dir, 1)
    assert len(records_in(ring_dir)) == 1


def test_under_gevent_there_is_no_cost(ring_dir):
    port = free_port()
    command = gunicorn(
        port, "-c", "python:dynoscope_probe.gunicorn", "-k", "gevent", "--workers", "1"
    )
    with server(command, environment(ring_dir), port):
        assert get(port, "/")[0] == 200
        wait_for_records(ring_dir, 1)
    ((_, record),) = records_in(ring_dir)
    assert (record["unit"], record["cost"], record["status"]) == (0, 0, 200)
