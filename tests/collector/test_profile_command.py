"""`dynoscope profile` against a real collector; what workers do is sent in their stead."""

import json
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from collector.profile_command import profile
from tests.collector import rows
from tests.collector.arrow import stream
from tests.collector.rows import ENDPOINTS, SERVICE, START_MS

ROOT = Path(__file__).parents[2]
ASKED_MS = START_MS + 3_600_000


@pytest.fixture(scope="module")
def collector(tmp_path_factory):
    """(url, data folder) of a collector that knows the service's requests."""
    data = tmp_path_factory.mktemp("data")
    with subprocess.Popen(
        [sys.executable, "-m", "tests.collector.serving", str(data)],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            port = process.stdout.readline().split()[1]
            url = f"http://127.0.0.1:{port}"
            put(url, data, "requests", rows.request_rows(500, 1), "r1")
            yield url, data
        finally:
            process.terminate()


def put(url, data, table, content, batch_id):
    token = (data / "ingest.token").read_text().strip()
    answer = httpx.put(
        f"{url}/v1/batches/{batch_id}", params={"table": table}, content=stream(content),
        headers={"Authorization": f"Bearer {token}"}, timeout=60,
    )  # fmt: skip
    assert answer.status_code == 204, answer.text


def wishes(url, data):
    token = (data / "ingest.token").read_text().strip()
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.get(f"{url}/v1/profiles/wishes", headers=headers, timeout=60).json()["wishes"]


def run(collector, *arguments):
    url, data = collector
    tokens = ["--token-file", str(data / "read.token")]
    admin = ["--admin-token-file", str(data / "admin.token")]
    return CliRunner().invoke(profile, ["--url", url, *tokens, *admin, *arguments])


def test_it_asks_waits_and_shows_what_came(collector):
    url, data = collector
    result = []
    words = [ENDPOINTS[0], "--requests", "2", "--json"]
    thread = threading.Thread(target=lambda: result.append(run(collector, *words)))
    thread.start()
    while not wishes(url, data):
        assert thread.is_alive(), result[0].output
    (wish,) = wishes(url, data)
    assert (wish["service"], wish["endpoint"], wish["requests"]) == (SERVICE, ENDPOINTS[0], 2)
    put(url, data, "function_costs", rows.function_cost_rows(start_ms=ASKED_MS - 1), "before")
    for number in (1, 2):
        costs = rows.function_cost_rows(start_ms=ASKED_MS + number)
        put(url, data, "function_costs", costs, f"p{number}")
    thread.join(60)
    assert result[0].exit_code == 0, result[0].output
    found = json.loads(result[0].stdout)["data"]
    assert found["requests"] == 2
    rank = found["functions"][0]
    assert (rank["function"], rank["calls"], rank["cost_self"]) == ("feed.ranking:rank", 10, 5e6)
    assert "2 of 2" in result[0].stderr


def test_without_profiles_it_says_what_may_be_the_reason(collector):
    result = run(collector, ENDPOINTS[1], "--wait-s", "0.2")
    assert result.exit_code == 2
    assert f"no request of {ENDPOINTS[1]} was profiled within 0.2 s" in result.output


def test_an_endpoint_without_requests_is_not_asked_for(collector):
    result = run(collector, ENDPOINTS[0] + "x")
    assert result.exit_code == 2
    assert repr(ENDPOINTS[0]) in result.output
    assert "within a day" in result.output


def test_too_many_requests_are_refused_with_the_reason(collector):
    result = run(collector, ENDPOINTS[0], "--requests", "100000")
    assert result.exit_code == 2
    assert "requests: Input should be less than or equal to 1000" in result.output


def test_a_missing_token_file_is_named(collector, tmp_path):
    result = run(collector, ENDPOINTS[0], "--token-file", str(tmp_path / "none"))
    assert result.exit_code == 2
    assert f"cannot read the token file {tmp_path / 'none'}" in result.output
