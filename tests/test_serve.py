"""What `dynoscope serve` does before and around its parts."""

import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import click
import httpx
from click.testing import CliRunner

import dynoscope
from collector.store.store import open_store
from tests.collector.clickhouse import ClickHouse
from tests.collector.rows import request_rows


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_it_serves_past_descriptor_1023() -> None:
    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"served"]

    held = [os.open(os.devnull, os.O_RDONLY) for _ in range(1_100)]
    port = free_port()
    server = dynoscope._listen(app, "127.0.0.1", port)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert httpx.get(f"http://127.0.0.1:{port}/", timeout=20).text == "served"
    finally:
        server.close()
        thread.join(20)
        for descriptor in held:
            os.close(descriptor)


def test_a_taken_port_is_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        command = [sys.executable, "-m", "dynoscope", "serve", "--data", str(tmp_path / "data")]
        told = subprocess.run(
            [*command, "--port", str(port)], capture_output=True, text=True, timeout=120
        )
    assert told.returncode == 2
    assert f"serve: cannot listen on 127.0.0.1:{port}" in told.stderr


def test_more_than_loopback_needs_tokens_first(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        dynoscope.main, ["serve", "--data", str(tmp_path / "data"), "--bind", "0.0.0.0"]
    )
    assert result.exit_code == 2
    assert "ingest.token is missing" in result.output


def test_flags_have_a_variable_and_a_place_in_the_file(tmp_path: Path) -> None:
    serve = dynoscope.main.get_command(click.Context(dynoscope.main), "serve")
    assert serve is not None
    assert {option.envvar for option in serve.params if option.name == "slo_window"} == {
        "DYNOSCOPE_SLO_WINDOW"
    }
    settings = tmp_path / "dynoscope.toml"
    settings.write_text('[serve]\nslo_window = "soon"\n')
    result = CliRunner().invoke(dynoscope.main, ["--config", str(settings), "serve"])
    assert result.exit_code == 2
    assert "'soon' is no time" in result.output


def test_days_that_are_not_understood_are_one_sentence(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        dynoscope.main, ["serve", "--data", str(tmp_path / "data"), "--keep", "hosts=3"]
    )
    assert result.exit_code == 2
    assert result.output.startswith("serve: 'hosts=3' names no table: write one of requests,")


def test_it_forgets_old_days_by_itself(tmp_path: Path) -> None:
    """An old day in the store: gone soon after the start, its minutes there as hours."""
    data, port = tmp_path / "data", free_port()
    store = open_store(data)
    old_ms = int(time.time() - 20 * 86_400) * 1000 // 86_400_000 * 86_400_000
    store.insert("requests", request_rows(50, 1, start_ms=old_ms), "old")
    store.close()
    command = [sys.executable, "-m", "dynoscope", "serve", "--data", str(data)]
    with subprocess.Popen([*command, "--port", str(port)], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert b"token=" in process.stdout.readline()
            token = (data / "read.token").read_text().strip()
            asked = {"Authorization": f"Bearer {token}"}
            last = time.monotonic() + 400
            while True:
                answer = httpx.get(f"http://127.0.0.1:{port}/v1/health", headers=asked, timeout=200)
                sizes = {one["table"]: one for one in answer.json()["data"]["tables"]}
                # Its minutes go at the next look, in an hour.
                if sizes["endpoint_hours"]["rows"] and not sizes["requests"]["rows"]:
                    break
                assert time.monotonic() < last, sizes
                time.sleep(0.5)
        finally:
            process.terminate()
    assert sizes["requests"]["keep_days"] == 7
    assert sizes["host_minutes"]["rows"] > 0


def test_it_serves_over_a_clickhouse_server(tmp_path: Path, clickhouse: ClickHouse) -> None:
    """The address comes from the variable, where other users do not read its password."""
    port = free_port()
    command = [sys.executable, "-m", "dynoscope", "serve", "--data", str(tmp_path / "data")]
    environment = os.environ | {"DYNOSCOPE_CLICKHOUSE": clickhouse.url("served")}
    with subprocess.Popen(
        [*command, "--port", str(port)], stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            assert process.stdout is not None
            token = process.stdout.readline().strip().partition("?token=")[2]
            answer = httpx.get(
                f"http://127.0.0.1:{port}/v1/health",
                headers={"Authorization": f"Bearer {token}"},
                timeout=60,
            )
        finally:
            process.terminate()
    assert answer.status_code == 200
    assert "requests" in {table["table"] for table in answer.json()["data"]["tables"]}
    assert not (tmp_path / "data" / "chdb").exists()


def test_a_clickhouse_server_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    url = f"clickhouse://me:swordfish@127.0.0.1:{free_port()}/served"
    result = CliRunner().invoke(
        dynoscope.main, ["serve", "--data", str(tmp_path / "data"), "--clickhouse", url]
    )
    assert result.exit_code == 2
    assert result.output.startswith("serve: The store does not open: the ClickHouse server 127.")
    assert "swordfish" not in result.output
