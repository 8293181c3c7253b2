"""A kill between a block's entry in the deduplication log and its part: the repeat is not lost."""

from pathlib import Path

import pytest

from collector.store.recovery import forget_lost_blocks
from collector.store.store import Store, open_store
from tests.collector.rows import SERVICE, START_MS, request_rows

WINDOW = {"service": SERVICE, "from_ms": START_MS, "to_ms": START_MS + 600_000}
BATCHES = {f"b{seed}": request_rows(100, seed, ring_id=seed) for seed in range(4)}
TABLES = ("requests", "endpoint_minutes", "endpoint_steps", "host_minutes")


def newest_part(store: Store, table: str) -> Path:
    """The folder of the part inserted last."""
    found = store._engine.select(
        "SELECT path FROM system.parts WHERE table = {t:String} AND active "
        "ORDER BY max_block_number DESC LIMIT 1",
        {"t": table},
    )
    return Path(found["path"].to_pylist()[0])


def counts(store: Store) -> dict[str, float]:
    ways = {"requests": "endpoints_raw", "endpoint_steps": "endpoints_minutes"}
    ways["host_minutes"] = "hosts"
    minutes = store._engine.select("SELECT sum(n) AS requests FROM endpoint_minutes", {})
    return {"endpoint_minutes": minutes["requests"][0].as_py()} | {
        table: sum(store.query(name, **WINDOW)["requests"].to_pylist())
        for table, name in ways.items()
    }


@pytest.mark.parametrize("table", TABLES)
def test_a_block_whose_part_was_never_renamed_is_stored_by_the_repeat(tmp_path, table):
    """Undo the rename, which is what a kill just before it leaves on the disk."""
    store = open_store(tmp_path)
    for batch_id, batch in BATCHES.items():
        store.insert("requests", batch, batch_id)
    part = newest_part(store, table)
    store.close()
    part.rename(part.with_name(f"tmp_insert_{part.name}"))
    store = open_store(tmp_path)
    assert counts(store) == dict.fromkeys(TABLES, 400) | {table: 300}
    for batch_id, batch in BATCHES.items():
        store.insert("requests", batch, batch_id)
    assert counts(store) == dict.fromkeys(TABLES, 400)
    store.close()


def test_whole_merged_and_dropped_parts_are_left_alone(tmp_path):
    store = open_store(tmp_path)
    for batch_id, batch in BATCHES.items():
        store.insert("requests", batch, batch_id)
    store._engine.execute("OPTIMIZE TABLE requests FINAL")
    store._engine.execute("ALTER TABLE endpoint_minutes DROP PARTITION '2026-09-25'")
    store.close()
    assert forget_lost_blocks(tmp_path / "chdb") == 0
    store = open_store(tmp_path)
    for batch_id, batch in BATCHES.items():
        store.insert("requests", batch, batch_id)
    assert counts(store)["requests"] == counts(store)["host_minutes"] == 400
    store.close()


def test_a_folder_without_a_store_needs_nothing(tmp_path):
    assert forget_lost_blocks(tmp_path / "chdb") == 0
