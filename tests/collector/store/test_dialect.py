"""What is used of an engine is what it says it has."""

import re

import pytest

from collector.store.dialect import (
    HAS_CODECS,
    HAS_TTL,
    INSERT_SETTINGS,
    SESSION_SETTINGS,
    cluster_dialect,
    dialect_of,
)
from collector.store.texts import query_text, schema_files, statements

TOKENS = ("insert_deduplication_token", "deduplicate_blocks_in_dependent_materialized_views")
WINDOW = "non_replicated_deduplication_window"


def test_nothing_absent_is_named():
    bare = dialect_of([], [])
    assert (bare.has_tokens, bare.session, bare.insert) == (False, {}, {})
    assert bare.filled("ORDER BY a\n{deduplicated}") == "ORDER BY a\n"
    assert "{" not in "".join(bare.names.values())


def test_what_is_there_is_used():
    full = dialect_of([*TOKENS, *INSERT_SETTINGS, *SESSION_SETTINGS], [WINDOW])
    assert (full.has_tokens, full.session, full.insert) == (True, SESSION_SETTINGS, INSERT_SETTINGS)
    assert full.filled("{deduplicated}") == f"SETTINGS {WINDOW} = 10000"
    assert full.filled("INSERT INTO t {never_deduplicated}").endswith("insert_deduplicate = 0")


@pytest.mark.parametrize("absent", [*TOKENS, WINDOW])
def test_tokens_take_all_three(absent):
    settings = [name for name in TOKENS if name != absent]
    assert not dialect_of(settings, [WINDOW] if absent != WINDOW else []).has_tokens


def test_a_cluster_has_its_own_engines_paths_and_sums():
    text = (
        "CREATE TABLE IF NOT EXISTS t {on_cluster}\nENGINE = {replicated}MergeTree{zookeeper_path}"
    )
    found = cluster_dialect(["insert_deduplicate"], "four", "x", query_text("sum_of_shards"))
    table, summed = found.statements(text)
    assert table == (
        "CREATE TABLE IF NOT EXISTS t ON CLUSTER four\n"
        "ENGINE = ReplicatedMergeTree('/clickhouse/dynoscope/x/{shard}/t', '{replica}')"
    )
    assert "CREATE TABLE IF NOT EXISTS x.t ON CLUSTER four AS x_local.t\n" in summed
    assert "ENGINE = Distributed(four, x_local, t)" in summed
    (whole,) = found.statements(text.replace("zookeeper_path", "zookeeper_path_of_all"))
    assert whole.endswith("('/clickhouse/dynoscope/x/all/t', '{shard}-{replica}')")
    (view,) = found.statements("CREATE MATERIALIZED VIEW v {on_cluster} TO {tables}t AS SELECT 1")
    assert view == "CREATE MATERIALIZED VIEW v ON CLUSTER four TO x_local.t AS SELECT 1"
    assert (found.is_replicated, found.correct) == (True, {"insert_deduplicate": 0})
    assert found.session == {}


def test_one_server_has_neither():
    found = dialect_of([], [], "x")
    for name in ("0001_requests.sql", "0002_minutes.sql", "0006_hours.sql"):
        path = next(path for path in schema_files().values() if path.name == name)
        for statement in statements(path):
            (text,) = found.statements(statement)
            assert not re.search(r"\{|Replicated|CLUSTER|Distributed", text)


def test_codecs_and_times_to_live_are_left_out_where_there_are_none():
    text = "ALTER TABLE t {on_cluster} MODIFY COLUMN a CODEC(ZSTD(1))"
    old, new = dialect_of([], []), dialect_of([HAS_CODECS], [HAS_TTL])
    assert (old.has_codecs, old.has_ttl, old.statements(text)) == (False, False, [])
    assert (new.has_codecs, new.has_ttl) == (True, True)
    assert new.statements(text) == ["ALTER TABLE t  MODIFY COLUMN a CODEC(ZSTD(1))"]
    four = cluster_dialect([HAS_CODECS], "four", "x", "", [HAS_TTL])
    assert four.statements(text) == ["ALTER TABLE t ON CLUSTER four MODIFY COLUMN a CODEC(ZSTD(1))"]
    assert (four.has_codecs, four.has_ttl) == (True, True)


def test_both_engines_say_what_they_have(store, request):
    """chDB has tokens, 18.16 has not; the other way round for its experiment."""
    dialect = store._engine.dialect
    is_embedded = "embedded" in request.node.name
    assert dialect.has_tokens == is_embedded
    assert bool(dialect.session) != is_embedded
    assert (dialect.has_codecs, dialect.has_ttl) == (is_embedded, is_embedded)
    known = store._engine.select("SELECT name FROM system.settings", {})["name"].to_pylist()
    assert {*dialect.session, *dialect.insert} <= set(known)
