"""psycopg 3 and psycopg2 by themselves, against a real PostgreSQL: timed, named, and as before."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import psycopg
import psycopg2
import psycopg2.extras
import psycopg2.pool
import psycopg2.sql
import pytest
import sqlalchemy

import dynoscope_probe
from dynoscope_probe.trace import traceparent_of
from tests.probe.reading import read_rings, records_in, spans_in
from tests.probe.serving import environment, free_port, process, wait_for
from tests.probe.test_middleware import call, respond

SAMPLED = traceparent_of((1, 2, 1, 0, 0), 3)
SLOW_S = 0.05


@pytest.fixture(scope="module")
def dsn(tmp_path_factory):
    """A PostgreSQL of its own; its user may not enter the folders of tests."""
    with tempfile.TemporaryDirectory(prefix="dynoscope-postgres-") as folder:
        yield from running_postgres(Path(folder), tmp_path_factory.mktemp("log"))


def running_postgres(folder, log):
    (binaries,) = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1:]
    account = []
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
        account = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    data, port = folder / "data", free_port()
    made = subprocess.run(
        [*account, binaries / "initdb", "-D", data, "-U", "tester", "-A", "trust", "-E", "UTF8"],
        capture_output=True, text=True, cwd=folder,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    settings = {
        "port": port, "listen_addresses": "127.0.0.1", "unix_socket_directories": "",
        "fsync": "off",
    }  # fmt: skip
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    argv = [*map(str, account), str(binaries / "postgres"), "-D", str(data), *options]
    place = f"host=127.0.0.1 port={port} user=tester dbname=postgres"
    with process(argv, environment(log / "rings"), cwd="/", stop=signal.SIGINT) as running:
        wait_for(lambda: answers(place, running), "PostgreSQL")
        yield place


def answers(place, running):
    assert running.poll() is None, running.log.read_text()[-3000:]
    try:
        psycopg.connect(place).close()
        return True
    except psycopg.OperationalError:
        return False


def within(work):
    """Run `work` within a request whose spans are kept."""

    def application(environ, start_response):
        work()
        return respond(environ, start_response)

    call(dynoscope_probe.wsgi(application), HTTP_TRACEPARENT=SAMPLED)


def statements(ring_dir):
    """(text, outcome) of all database calls, which lie directly in their request."""
    (_, _, root), *spans = spans_in(ring_dir)
    assert {span["parent_id"] for _, _, span in spans} <= {root["span_id"]}
    assert {kind for kind, _, _ in spans} <= {"db"}
    return [(name, span["outcome"]) for _, name, span in spans]


def test_psycopg(ring_dir, dsn):
    composed = psycopg.sql.SQL("SELECT {} FROM {}").format(
        psycopg.sql.Literal("secret"), psycopg.sql.Identifier("pg_database")
    )

    def work():
        with psycopg.connect(dsn) as connection:
            connection.execute(f"SELECT pg_sleep({SLOW_S})")
            with connection.cursor() as cursor:
                cursor.execute(query="SELECT %s::int", params=(7,))
                assert cursor.fetchone() == (7,)
                cursor.execute(b"SELECT 8")
                cursor.execute(composed)
                cursor.execute("CREATE TEMPORARY TABLE things (n int)")
                cursor.executemany("INSERT INTO things VALUES (%s)", [(n,) for n in range(5)])
            with connection.cursor(name="there") as cursor:
                assert len(cursor.execute("SELECT n FROM things").fetchall()) == 5
            with pytest.raises(psycopg.errors.UndefinedTable):
                connection.execute("SELECT 1 FROM nowhere")

    within(work)
    ((_, record),) = records_in(ring_dir)
    assert record["db_calls"] == 8
    assert SLOW_S * 1e9 <= record["db_ns"] < record["wall_ns"]
    assert statements(ring_dir) == [
        ("SELECT pg_sleep(?)", 0), ("SELECT ?::int", 0), ("SELECT ?", 0),
        ('SELECT ? FROM "pg_database"', 0), ("CREATE TEMPORARY TABLE things (n int)", 0),
        ("INSERT INTO things VALUES (?)", 0), ("SELECT n FROM things", 0),
        ("SELECT ? FROM nowhere", 1),
    ]  # fmt: skip


def test_psycopg_by_asyncio(ring_dir, dsn):
    async def ask():
        async with await psycopg.AsyncConnection.connect(dsn) as connection:
            await connection.execute(f"SELECT pg_sleep({SLOW_S})")
            async with connection.cursor() as cursor:
                await cursor.executemany("SELECT %s::int", [(1,), (2,)])
            async with connection.cursor(name="there") as cursor:
                await cursor.execute("SELECT 5")
                assert await cursor.fetchall() == [(5,)]

    within(lambda: asyncio.run(ask()))
    ((_, record),) = records_in(ring_dir)
    assert record["db_calls"] == 3
    assert SLOW_S * 1e9 <= record["db_ns"] < record["wall_ns"]
    assert [name for name, _ in statements(ring_dir)] == [
        "SELECT pg_sleep(?)", "SELECT ?::int", "SELECT ?",
    ]  # fmt: skip


def counted(cursor):
    """What a class of the application's own may do."""
    cursor.asked = getattr(cursor, "asked", 0) + 1


class Counting(psycopg2.extensions.cursor):  # type: ignore[misc]
    def execute(self, query, vars=None):
        counted(self)
        return super().execute(query, vars)


def made_by_function(*arguments, **named):
    return Counting(*arguments, **named)


def test_psycopg2(ring_dir, dsn):
    def work():
        with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
            cursor.execute(f"SELECT pg_sleep({SLOW_S})")
            cursor.execute(query="SELECT %s", vars=("secret",))
            assert cursor.fetchone() == ("secret",)
            cursor.execute(b"SELECT 8")
            cursor.execute(psycopg2.sql.SQL("SELECT {}").format(psycopg2.sql.Literal("secret")))
            cursor.execute("CREATE TEMPORARY TABLE things (n int)")
            rows = [(n,) for n in range(3)]
            psycopg2.extras.execute_values(cursor, "INSERT INTO things VALUES %s", rows)
            cursor.executemany("INSERT INTO things VALUES (%s)", rows)
            with open(os.devnull, "w") as file:
                cursor.copy_expert(sql="COPY things TO STDOUT", file=file)
            with connection.cursor("there") as named:
                named.execute("SELECT n FROM things")
                assert len(named.fetchall()) == 6
            with pytest.raises(psycopg2.errors.UndefinedTable):
                cursor.execute("SELECT 1 FROM nowhere")

    within(work)
    ((_, record),) = records_in(ring_dir)
    assert record["db_calls"] == 10
    assert SLOW_S * 1e9 <= record["db_ns"] < record["wall_ns"]
    assert statements(ring_dir) == [
        ("SELECT pg_sleep(?)", 0), ("SELECT ?", 0), ("SELECT ?", 0), ("SELECT ?", 0),
        ("CREATE TEMPORARY TABLE things (n int)", 0), ("INSERT INTO things VALUES (?)", 0),
        ("INSERT INTO things VALUES (?)", 0), ("COPY things TO STDOUT", 0),
        ("SELECT n FROM things", 0), ("SELECT ? FROM nowhere", 1),
    ]  # fmt: skip


def test_classes_of_psycopg2_stay_what_they_were(ring_dir, dsn):
    def work():
        with closing(psycopg2.connect(dsn)) as plain:
            assert isinstance(plain, psycopg2.extensions.connection)
            with plain.cursor() as cursor:
                assert isinstance(cursor, psycopg2.extensions.cursor)
                assert (type(cursor).__module__, type(cursor).__name__) == (
                    "psycopg2.extensions", "cursor",
                )  # fmt: skip
            with plain.cursor(None, Counting) as cursor:
                cursor.execute("SELECT 1")
                assert (type(cursor).__name__, cursor.asked) == ("Counting", 1)
            with plain.cursor(cursor_factory=made_by_function) as cursor:
                cursor.execute("SELECT 'untimed'")
                assert type(cursor) is Counting
            psycopg2.extras.register_uuid(conn_or_curs=plain)
            plain.cursor_factory = psycopg2.extras.RealDictCursor
            with plain.cursor() as cursor:
                cursor.execute("SELECT 2 AS two")
                assert dict(cursor.fetchone()) == {"two": 2}
        factory = psycopg2.extras.DictConnection
        with closing(psycopg2.connect(dsn, connection_factory=factory)) as connection:
            assert isinstance(connection, factory)
            with connection.cursor() as cursor:
                assert isinstance(cursor, psycopg2.extras.DictCursor)
                cursor.execute("SELECT 3 AS three")
                assert cursor.fetchone()["three"] == 3
        pool = psycopg2.pool.SimpleConnectionPool(1, 2, dsn)
        pooled = pool.getconn()
        with pooled.cursor() as cursor:
            cursor.execute("SELECT 4")
        pool.closeall()

    within(lambda: None)  # the hooks are there
    within(work)
    records = [record for _, record in records_in(ring_dir)]
    assert [record["db_calls"] for record in records] == [0, 4]
    (ring,) = read_rings(ring_dir)
    assert ring.counters["probe_errors"] == 0


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])
def test_beneath_sqlalchemy_a_statement_counts_once(ring_dir, dsn, driver):
    places = dict(part.split("=") for part in dsn.split())
    url = f"postgresql+{driver}://tester@127.0.0.1:{places['port']}/postgres"
    engine = sqlalchemy.create_engine(url)
    within(engine.connect().close)  # which asks for the server's version and more

    def work():
        with engine.connect() as connection:
            connection.execute(sqlalchemy.text("SELECT 1")).fetchall()

    within(work)
    assert records_in(ring_dir)[-1][1]["db_calls"] == 1
    engine.dispose()


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])
def test_outside_a_request_nothing_counts(ring_dir, dsn, driver):
    within(lambda: None)
    with closing(sys.modules[driver].connect(dsn)) as connection:
        connection.cursor().execute("SELECT 1")
    within(lambda: None)
    assert [record["db_calls"] for _, record in records_in(ring_dir)] == [0, 0]
