import os

import pytest

import dynoscope_probe
from tests.probe.reading import read_rings
from tests.probe.serving import environment, free_port, get, server, wait_for_records
from tests.probe.test_middleware import call

SQL = "SELECT ? WHERE ? IN (?...)"


@pytest.fixture(scope="module")
def application():
    from tests.probe.apps import django_app

    return dynoscope_probe.wsgi(django_app.application)


def one(ring_dir):
    (ring,) = read_rings(ring_dir)
    (record,) = ring.records
    return ring, record, ring.text(record["endpoint_id"])


@pytest.mark.parametrize(
    ("path", "status", "endpoint"),
    [
        ("/media/7/", "200 OK", "GET /media/<media_id>/"),
        ("/media/x/", "404 Not Found", "GET (unmatched)"),
        ("/media/7", "301 Moved Permanently", "GET (unmatched)"),
        ("/elsewhere/a/", "200 OK", "GET /elsewhere/<name>/"),
        ("/streaming/", "200 OK", "GET /streaming/"),
    ],
)
def test_the_route_names_the_endpoint(ring_dir, application, path, status, endpoint):
    assert call(application, path=path)[0] == status
    _, record, found = one(ring_dir)
    assert found == endpoint
    assert record["status"] == int(status[:3])


def test_the_mount_point_is_part_of_the_name(ring_dir, application):
    assert call(application, path="/media/7/", SCRIPT_NAME="/shop")[0] == "200 OK"
    assert one(ring_dir)[2] == "GET /shop/media/<media_id>/"


def test_a_regular_expression_in_an_include(ring_dir, application):
    call(application, path="/api/articles/2026/", method="POST")
    assert one(ring_dir)[2] == "POST /api/articles/<year>/"


def test_database_time_calls_and_statements(ring_dir, application):
    call(application, path="/database/")
    ring, record, _ = one(ring_dir)
    assert record["db_calls"] == 4
    assert 0 < record["db_ns"] < record["wall_ns"]
    statements = {
        ring.text(record[f"statement{n}_id"]): record[f"statement{n}_calls"] for n in (1, 2)
    }
    assert statements == {SQL: 3, "SELECT ?, ?": 1}
    spent = [record[f"statement{n}_ns"] for n in (1, 2, 3)]
    assert spent[0] >= spent[1] > spent[2] == 0
    assert sum(spent) == record["db_ns"]


def test_a_call_within_a_cache_call_is_not_counted(ring_dir, application):
    call(application, path="/cached/")
    _, record, _ = one(ring_dir)
    assert record["cache_calls"] == 3
    assert 0 < record["cache_ns"] < record["wall_ns"]


def test_an_error_that_django_answers(ring_dir, application, caplog):
    assert call(application, path="/broken/")[0] == "500 Internal Server Error"
    ring, record, _ = one(ring_dir)
    assert record["outcome"] == 1
    kind, message, frames = ring.text(record["error_id"]).split("\x1f")
    assert kind == "ValueError"
    assert message == "no user <value> with number <number>, mail <email>"
    assert frames.split("\n")[0] == "tests.probe.apps.django_app:broken"
    text = " ".join(str(entry.exc_info) for entry in caplog.records)
    assert "<endpoint>" not in text


def test_statements_outside_a_request_are_not_counted(application):
    from django.db import connection

    call(application, path="/database/")
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)


def test_a_failing_statement_fails_as_before(ring_dir, application):
    from django.db import DatabaseError, connection

    def asking(environ, start_response):
        start_response("200 OK", [])
        with pytest.raises(DatabaseError), connection.cursor() as cursor:
            cursor.execute("SELECT nonsense FROM nowhere")
        return [b""]

    call(application, path="/media/7/")  # the hooks are there
    call(dynoscope_probe.wsgi(asking))
    (ring,) = read_rings(ring_dir)
    assert ring.records[1]["db_calls"] == 1
    assert ring.text(ring.records[1]["statement1_id"]) == "SELECT nonsense FROM nowhere"


def test_runserver_by_the_environment_alone(ring_dir, tmp_path):
    import sys

    from dynoscope_probe import auto

    port = free_port()
    root = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
    command = [
        sys.executable, "-m", "tests.probe.apps.django_app", "runserver", "--noreload",
        f"127.0.0.1:{port}",
    ]  # fmt: skip
    env = auto.environment(command, environment(ring_dir, DJANGO_SETTINGS_MODULE=""))
    with server(command, env, port, cwd=root):
        assert get(port, "/media/5/") == (200, b"media 5")
        wait_for_records(ring_dir, 1)
    _, record, endpoint = one(ring_dir)
    assert endpoint == "GET /media/<media_id>/"
    assert record["outcome"] == 0
