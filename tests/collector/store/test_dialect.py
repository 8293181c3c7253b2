"""What is used of an engine is what it says it has."""

import pytest

from collector.store.dialect import INSERT_SETTINGS, SESSION_SETTINGS, dialect_of

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


def test_both_engines_say_what_they_have(store, request):
    """chDB has tokens, 18.16 has not; the other way round for its experiment."""
    dialect = store._engine.dialect
    is_embedded = "embedded" in request.node.name
    assert dialect.has_tokens == is_embedded
    assert bool(dialect.session) != is_embedded
    known = store._engine.select("SELECT name FROM system.settings", {})["name"].to_pylist()
    assert {*dialect.session, *dialect.insert} <= set(known)
