"""Statements that SQLAlchemy executes: counted, timed, and failing as before."""

import time

import pytest
import sqlalchemy
from sqlalchemy import create_engine, text
from sqlalchemy.pool import StaticPool

import dynoscope_probe
from dynoscope_probe.trace import traceparent_of
from tests.probe.reading import read_rings, spans_in
from tests.probe.test_middleware import call, respond

SAMPLED = traceparent_of((1, 2, 1, 0, 0), 3)


@pytest.fixture
def engine():
    made = create_engine("sqlite://", poolclass=StaticPool)

    @sqlalchemy.event.listens_for(made, "connect")
    def add_sleep(connection, _):
        connection.create_function("sleep", 1, time.sleep)

    yield made
    made.dispose()


def within(work):
    def application(environ, start_response):
        work()
        return respond(environ, start_response)

    call(dynoscope_probe.wsgi(application), HTTP_TRACEPARENT=SAMPLED)


def test_statements_are_counted_without_their_values(ring_dir, engine):
    def work():
        with engine.connect() as connection:
            for number in range(3):
                connection.execute(text(f"SELECT sleep(0.01), 'secret {number}'")).fetchall()
            connection.execute(text("SELECT :value"), {"value": 5}).fetchall()

    within(work)
    (ring,) = read_rings(ring_dir)
    (record,) = ring.records
    assert record["db_calls"] == 4
    assert 0.03e9 <= record["db_ns"] < record["wall_ns"]
    assert ring.text(record["statement1_id"]) == "SELECT sleep(?), ?"
    assert (record["statement1_calls"], record["statement2_calls"]) == (3, 1)
    names = [(kind, name) for kind, name, _ in spans_in(ring_dir)[1:]]
    assert names == [("db", "SELECT sleep(?), ?")] * 3 + [("db", "SELECT ?")]


def test_a_statement_that_fails_counts_once(ring_dir, engine):
    def work():
        with (
            engine.connect() as connection,
            pytest.raises(sqlalchemy.exc.OperationalError, match="no such table"),
        ):
            connection.execute(text("SELECT 1 FROM nowhere"))

    within(work)
    (ring,) = read_rings(ring_dir)
    assert ring.records[0]["db_calls"] == 1
    assert [span["outcome"] for _, _, span in spans_in(ring_dir)] == [0, 1]


def test_what_an_execution_began_outside_a_request_does_not_count(ring_dir, engine):
    within(lambda: None)
    with engine.connect() as connection:
        connection.execute(text("SELECT 1")).fetchall()
    within(lambda: None)
    (ring,) = read_rings(ring_dir)
    assert [record["db_calls"] for record in ring.records] == [0, 0]
