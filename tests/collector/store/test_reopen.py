"""A store that was closed is opened again with all that it held."""

from typing import Any

from collector.store.store import open_store
from tests.collector.rows import SERVICE, START_MS, request_rows

WINDOW: dict[str, Any] = {"service": SERVICE, "from_ms": START_MS, "to_ms": START_MS + 600_000}


def test_rows_hosts_and_batch_ids_outlive_the_process(tmp_path):
    batch = request_rows(100, 1)
    for _ in range(2):
        opened = open_store(tmp_path)
        opened.insert("requests", batch, "b1")
        assert sum(opened.query("endpoints_minutes", **WINDOW)["requests"].to_pylist()) == 100
        opened.close()
    opened = open_store(tmp_path)
    opened.insert("requests", request_rows(10, 2, hosts=["web-2", "web-9"]), "b2")
    cells = opened._engine.select("SELECT host, cell FROM requests GROUP BY host, cell", {})
    assert sorted(cells["cell"].to_pylist()) == [0, 1, 2]
    opened.close()
