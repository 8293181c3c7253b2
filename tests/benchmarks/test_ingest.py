from collections import Counter

import numpy as np
import pytest

from benchmarks.ingest import EMBEDDED, SERVER, Found, as_json
from benchmarks.ingesting.agents import Seen
from benchmarks.ingesting.lanes import DIRECT, HTTP, WITHOUT_VIEWS, Turn
from benchmarks.ingesting.rows import flush, request_rows, stream
from collector.batches import check_batch
from tests.collector.rows import START_MS


def test_the_last_line_pairs_by_block_and_is_headed_by_the_embedded_engine():
    direct = [Turn(1.0, 2.0), Turn(2.0, 2.0), Turn(4.0, 2.2)] * 2
    turns = {
        DIRECT: direct,
        HTTP: [Turn(one.wall_s / 0.8, one.cpu_s / 0.9) for one in direct],
        WITHOUT_VIEWS: [Turn(one.wall_s / 2, one.cpu_s / 4) for one in direct],
    }
    seen = Seen(
        flushes=500, batches=1_500, rows=9_000, refused=Counter({429: 3}), waits_s=[0.5] * 9
    )
    one = Found(turns, seen, rss_bytes=600_000_000, turn_rows=40_000)
    found = as_json({EMBEDDED: one, SERVER: one}, agents=1_000, agents_s=10)
    assert (found["name"], found["ratio"], found["rss_mb"]) == ("ingest", 0.8, 600.0)
    assert (found["raw_rows_per_s"], found["rows_per_s"]) == (20_000, 16_000)
    server = found["engines"]["server"]
    assert server["cpu_ratio"] == 0.9
    assert server["views_cpu_share"] == 0.75
    assert server["agents"]["flushes_in_time"] == 0.25
    assert server["agents"]["rows_per_s"] == 900
    assert server["agents"]["batches_per_s"] == 150
    assert server["agents"]["wanted_batches_per_s"] == 616.7
    assert server["agents"]["told_to_wait"] == 3


@pytest.mark.parametrize("seed", range(3))
def test_what_is_sent_is_what_the_collector_takes(seed):
    rng = np.random.default_rng(seed)
    tables = flush(rng, "web-1", START_MS) | {"requests": request_rows(rng, 500, "w", START_MS)}
    for name, table in tables.items():
        assert check_batch(name, stream(table), START_MS + 60_000).num_rows == table.num_rows
