"""`dynoscope migrate`: shows, does it once, goes on after an interruption, refuses newer stores."""

import pytest
from click.testing import CliRunner

import dynoscope
from collector.store.migrations import _record, pending
from collector.store.store import open_store, opened_engine
from collector.store.texts import schema_files

NAMES = [path.name for _, path in sorted(schema_files().items())]
NEWEST = max(schema_files())


def run(*words):
    result = CliRunner().invoke(dynoscope.main, ["migrate", *map(str, words)])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.output


def tables(data):
    with opened_engine(data) as engine:
        found = engine.select(
            "SELECT name FROM system.tables WHERE database = currentDatabase()", {}
        )
        return set(found["name"].to_pylist())


def test_without_a_store_nothing_is_made(tmp_path):
    code, told = run("--dry-run", "--data", tmp_path / "none")
    assert (code, "There is no store in" in told) == (0, True)
    assert not (tmp_path / "none").exists()


def test_it_shows_then_does_then_has_nothing_to_do(tmp_path):
    assert tables(tmp_path) == set()
    code, shown = run("--dry-run", "--data", tmp_path)
    assert code == 0
    assert [name for name in NAMES if f"to apply {name}:" not in shown] == []
    assert "  CREATE TABLE IF NOT EXISTS requests" in shown
    assert shown.endswith("Nothing was changed.\n")
    assert tables(tmp_path) == set()
    code, done = run("--data", tmp_path)
    assert (code, f"Applied {len(NAMES)} files: version {NEWEST}." in done) == (0, True)
    assert {"requests", "endpoint_minutes", "endpoint_hours", "endpoint_times"} <= tables(tmp_path)
    for words in ([], ["--dry-run"]):
        assert run("--data", tmp_path, *words) == (
            0, f"The schema is up to date: version {NEWEST}.\n",
        )  # fmt: skip


@pytest.mark.parametrize("at", [0, 1, 2, 5, 9, 14])
def test_it_goes_on_where_it_was_interrupted(tmp_path, at):
    """The first `at` statements were run, and their files recorded, when the process ended."""
    with opened_engine(tmp_path) as engine:
        left = at
        for file in pending(engine):
            for statement in file.statements[:left]:
                engine.execute(statement)
            left -= len(file.statements)
            if left < 0:
                break
            _record(engine, file.version, file.name, 0)
        missing = [file.name for file in pending(engine)]
    _, shown = run("--dry-run", "--data", tmp_path)
    assert [name for name in NAMES if f"to apply {name}:" in shown] == missing != []
    code, done = run("--data", tmp_path)
    assert (code, f"Applied {len(missing)} files" in done) == (0, True)
    open_store(tmp_path).close()


def test_a_newer_store_is_refused_and_left_alone(tmp_path):
    open_store(tmp_path).close()
    with opened_engine(tmp_path) as engine:
        _record(engine, 999, "0999_future.sql", 0)
    for words in ([], ["--dry-run"]):
        code, told = run("--data", tmp_path, *words)
        assert (code, "has schema version 999" in told) == (2, True)


def test_a_store_that_is_served_is_refused(tmp_path):
    store = open_store(tmp_path)
    code, told = run("--data", tmp_path)
    assert (code, "belongs to process" in told) == (2, True)
    store.close()


def test_a_server_is_migrated_too(clickhouse):
    address = clickhouse.url("migrated")
    code, shown = run("--dry-run", "--clickhouse", address)
    assert (code, f"to apply {NAMES[-1]}:" in shown) == (0, True)
    code, done = run("--clickhouse", address)
    assert (code, f"version {NEWEST}." in done) == (0, True)
    assert run("--clickhouse", address) == (0, f"The schema is up to date: version {NEWEST}.\n")


def test_a_cluster_is_migrated_too_and_goes_on_where_it_was_interrupted(cluster):
    """The schema is the same on all servers, and no row is of a table that some of them lack."""
    address = cluster.url("migrated")
    code, shown = run("--dry-run", "--clickhouse", address)
    assert (code, shown.count(" ON CLUSTER four") > 20) == (0, True)
    assert "  CREATE TABLE IF NOT EXISTS migrated.requests ON CLUSTER four" in shown
    with opened_engine(address) as engine:
        first, second = pending(engine)[:2]
        for statement in (*first.statements, second.statements[0]):
            engine.anywhere().execute(statement)
        _record(engine.anywhere(), first.version, first.name, 0)
        missing = [file.name for file in pending(engine)]
    assert missing == NAMES[1:]
    code, done = run("--clickhouse", address)
    assert (code, f"Applied {len(missing)} files" in done) == (0, True)
    assert run("--clickhouse", address) == (0, f"The schema is up to date: version {NEWEST}.\n")
    names = [tables_of(node) for node in cluster.nodes.values()]
    assert names == [names[0]] * 4
    assert {("migrated", "requests"), ("migrated_local", "endpoint_minutes_view")} <= names[0]


def tables_of(node):
    client = node.client()
    asked = "SELECT database, name FROM system.tables WHERE database LIKE 'migrated%'"
    found = set(client.execute(asked))
    client.disconnect()
    return found


def test_an_address_that_is_broken_is_one_sentence():
    code, told = run("--clickhouse", "http://nowhere")
    assert (code, told.count("\n")) == (2, 1)
    assert "clickhouse://user:password@host:port/database" in told
