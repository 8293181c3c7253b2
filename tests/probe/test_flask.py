import sys

import pytest
from werkzeug.middleware.proxy_fix import ProxyFix

import dynoscope_probe
from dynoscope_probe import auto
from tests.probe.apps.flask_app import app
from tests.probe.reading import read_rings
from tests.probe.serving import APPS, environment, free_port, get, server, wait_for_records
from tests.probe.test_middleware import call


@pytest.fixture
def wrapped():
    inner = app.wsgi_app
    yield dynoscope_probe.wsgi(app)
    app.wsgi_app = inner


def endpoints(ring_dir):
    (ring,) = read_rings(ring_dir)
    return ring.endpoints()


def test_the_application_stays_what_it_is(wrapped):
    assert wrapped is app
    once = app.wsgi_app
    assert dynoscope_probe.wsgi(app).wsgi_app is once


@pytest.mark.parametrize(
    ("method", "path", "status", "endpoint"),
    [
        ("GET", "/users/5", 200, "GET /users/<user_id>"),
        ("GET", "/users/x", 404, "GET (unmatched)"),
        ("POST", "/users/5", 405, "POST (unmatched)"),
        ("HEAD", "/users/5", 200, "HEAD /users/<user_id>"),
    ],
)
def test_the_rule_names_the_endpoint(ring_dir, wrapped, method, path, status, endpoint):
    assert int(call(wrapped, method, path)[0][:3]) == status
    assert endpoints(ring_dir) == [endpoint]


def test_an_error_that_flask_answers(ring_dir, wrapped, caplog):
    assert call(wrapped, path="/broken")[0].startswith("500")
    (ring,) = read_rings(ring_dir)
    kind, message, frames = ring.text(ring.records[0]["error_id"]).split("\x1f")
    assert (kind, message) == ("KeyError", "<value>")
    assert frames == "tests.probe.apps.flask_app:broken"


def test_a_flask_application_inside_a_middleware_is_found(ring_dir):
    inner = ProxyFix(app.wsgi_app)
    call(dynoscope_probe.wsgi(inner), path="/users/5")
    assert endpoints(ring_dir) == ["GET /users/<user_id>"]


def test_flask_run_by_the_environment_alone(ring_dir):
    port = free_port()
    command = [
        sys.executable, "-m", "flask", "--app", "flask_app", "run", "--port", str(port),
    ]  # fmt: skip
    env = auto.environment(command, environment(ring_dir))
    with server(command, env, port, cwd=APPS):
        assert get(port, "/users/5") == (200, b"user 5")
        wait_for_records(ring_dir, 1)
    assert endpoints(ring_dir) == ["GET /users/<user_id>"]
