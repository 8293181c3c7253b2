"""Inserts count once, raw and rolled up."""

import pytest

from collector.store.errors import StoreError
from profiler.vocabulary import WIRE
from tests.collector import rows
from tests.collector.arrow import with_column
from tests.collector.engines import merge
from tests.collector.rows import SERVICE, START_MS

WINDOW = {"service": SERVICE, "from_ms": START_MS, "to_ms": START_MS + 600_000}
SAMPLES = {
    "requests": rows.request_rows(300, 3),
    "stack_samples": rows.sample_rows(50, 3),
    "line_samples": rows.line_rows(),
    "stacks": rows.stack_rows(),
    "statements": rows.statement_rows(),
    "errors": rows.error_rows(4),
    "spans": rows.span_rows("ab" * 16),
    "function_costs": rows.function_cost_rows(),
    "metrics": rows.metric_rows("cpu_percent", [1.0, 2.0], labels=["core=0"]),
    "changes": rows.deploy_rows("r1"),
    "limits": rows.limit_rows("dropped", 3),
    "alert_events": rows.alert_rows("a1", "firing"),
    "silence_events": rows.table_of("silence_events", 1, ts_ms=START_MS, id="s1", state="active"),
    "evaluator_events": rows.table_of("evaluator_events", 1, ts_ms=START_MS, id="e1", json="{}"),
}


@pytest.mark.parametrize("table", sorted(WIRE))
def test_every_table_gives_back_what_was_inserted_once(store, table):
    given = SAMPLES[table]
    for _ in range(3):
        store.insert(table, given, f"{table}-1")
    names = ", ".join(
        f"arrayMap(x -> toString(x), `{column.name}`) AS `{column.name}`"
        if column.type == "str[]"
        else f"`{column.name}`"
        for column in WIRE[table]
    )
    stored = store._engine.select(f"SELECT {names} FROM {table}", {})
    assert sorted(map(repr, stored.to_pylist())) == sorted(map(repr, given.to_pylist()))


def test_repeats_count_once_rolled_up_also_when_other_batches_lie_between(store):
    first, second = rows.request_rows(2_000, 1), rows.request_rows(1_000, 2)
    for batch_id, batch in (("b1", first), ("b2", second), ("b1", first), ("b2", second)):
        store.insert("requests", batch, batch_id)
    for name in ("endpoints_minutes", "endpoints_raw"):
        table = store.query(name, **WINDOW)
        assert sum(table["requests"].to_pylist()) == 3_300, name
    assert sum(store.query("hosts", **WINDOW)["requests"].to_pylist()) == 3_300


def test_roll_ups_stay_the_same_when_parts_are_merged(store):
    """Merging adds sums and histograms; states of users and rings, too."""
    before = store.query("endpoints_minutes", **WINDOW).to_pylist()
    for table in ("endpoint_minutes", "host_minutes"):
        merge(store, table)
    assert store.query("endpoints_minutes", **WINDOW).to_pylist() == before
    assert before == store.query("endpoints_raw", **WINDOW).to_pylist()


def test_users_of_a_minute_are_counted_without_the_unknown(store):
    batch = rows.request_rows(200, 8, service="users", span_ms=60_000)
    hashes = [0 if i % 2 else 1 + i % 10 for i in range(200)]
    at = batch.column_names.index("user_hash")
    batch = batch.set_column(at, "user_hash", [hashes])
    store.insert("requests", batch.cast(SAMPLES["requests"].schema), "users-1")
    states = "SELECT uniqIfMerge(users) AS n FROM endpoint_minutes WHERE service = 'users'"
    assert store._engine.select(states, {})["n"].to_pylist() == [5]


def test_hosts_get_cells_in_order_of_first_appearance(store):
    hosts = [f"cell-{i}" for i in range(70)]
    for at in range(0, 70, 10):
        batch = rows.request_rows(10, at, service="c")
        batch = with_column(batch, "host", hosts[at : at + 10], batch["host"].type)
        store.insert("requests", batch, f"c{at}")
    found = store._engine.select(
        "SELECT host, any(cell) AS cell FROM requests WHERE service = 'c' GROUP BY host", {}
    )
    cells = dict(zip(found["host"].to_pylist(), found["cell"].to_pylist(), strict=True))
    first = cells["cell-0"]
    assert [cells[host] for host in hosts] == [(first + i) % 64 for i in range(70)]


@pytest.mark.parametrize("batch_id", ["", "a'b", "a b", "x" * 129, "a\nb", "ä"])
def test_a_batch_id_of_other_characters_is_refused(store, batch_id):
    with pytest.raises(StoreError, match="batch id"):
        store.insert("requests", SAMPLES["requests"], batch_id)


def test_a_batch_over_midnight_is_refused(store):
    midnight = START_MS // 86_400_000 * 86_400_000 + 86_400_000
    batch = rows.request_rows(50, 1, start_ms=midnight - 1_000, span_ms=2_000)
    with pytest.raises(StoreError, match="midnight"):
        store.insert("requests", batch, "midnight")


def test_a_batch_that_the_engine_refuses_leaves_nothing(store):
    good = SAMPLES["limits"]
    broken = good.set_column(good.column_names.index("count"), "count", [["many"]])
    with pytest.raises(StoreError, match="limits"):
        store.insert("limits", broken, "broken")
    count = store._engine.select("SELECT count() AS n FROM limits WHERE batch_id = 'broken'", {})
    assert count["n"].to_pylist() == [0]
    store.insert("limits", good, "broken")
    count = store._engine.select("SELECT count() AS n FROM limits WHERE batch_id = 'broken'", {})
    assert count["n"].to_pylist() == [1]


def test_no_rows_are_no_batch(store):
    """Its id is still free."""
    batch = rows.request_rows(7, 1, service="late")
    store.insert("requests", batch.slice(0, 0), "empty")
    store.insert("requests", batch, "empty")
    stored = store._engine.select("SELECT count() AS n FROM requests WHERE service = 'late'", {})
    assert stored["n"].to_pylist() == [7]
