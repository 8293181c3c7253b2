"""Many large batches at once: some are sent away for a time, memory is bounded, none is lost."""

import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pyarrow as pa

from collector.tokens import load_or_make_tokens
from tests.collector import rows
from tests.collector.arrow import stream, with_column

SENDERS = 12
ROWS = 15_000
#: 60 MB of rows in 200 kB: held ten times, one batch is under way at once.
LARGE = stream(
    with_column(
        rows.table_of("limits", ROWS, ts_ms=rows.START_MS, where="agent", what="w", count=1),
        "what",
        [f"{at:07d}{'x' * 4_080}" for at in range(ROWS)],
        pa.string(),
    )
)


def peak_mb(pid: int) -> int:
    found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) // 1000


def test_senders_are_sent_away_before_memory_grows(tmp_path):
    tokens = load_or_make_tokens(tmp_path)
    command = [sys.executable, "-m", "tests.collector.serving", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = f"http://127.0.0.1:{process.stdout.readline().split()[1]}"
            before_mb = peak_mb(process.pid)

            def sent(at: int) -> list[int]:
                """The answers until the batch is stored."""
                statuses: list[int] = []
                while 204 not in statuses:
                    answer = httpx.put(
                        f"{url}/v1/batches/b{at}?table=limits",
                        content=LARGE,
                        headers={"Authorization": f"Bearer {tokens.ingest}"},
                        timeout=300,
                    )
                    statuses.append(answer.status_code)
                    if answer.status_code != 204:
                        assert answer.status_code in (429, 503), answer.text
                        time.sleep(int(answer.headers["Retry-After"]))
                return statuses

            with ThreadPoolExecutor(SENDERS) as pool:
                statuses = [one for each in pool.map(sent, range(SENDERS)) for one in each]
            grown_mb = peak_mb(process.pid) - before_mb
            reader = {"Authorization": f"Bearer {tokens.read}"}
            sizes = httpx.get(f"{url}/v1/health", headers=reader, timeout=60).json()["data"]
        finally:
            process.terminate()
    stored = {one["table"]: one["rows"] for one in sizes["tables"]}
    assert SENDERS * ROWS <= stored["limits"] < SENDERS * (ROWS + 10)
    assert set(statuses) & {429, 503}, "nobody was sent away: this is no flood"
    assert grown_mb < 1_300, "four at once would take 2,400"
