import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from agent.command import agent
from tests.agent.processes import ROOT, ask, target, until
from tests.agent.receiver import receiver
from tests.agent.rings import make_ring, write


@contextmanager
def agent_process(rings: Path, spool: Path, url: str, *options: str):
    """A real agent process; killed at the end if it still runs."""
    command = [sys.executable, "-c", "from agent.command import agent; agent()", "run"]
    command += ["--ring-dir", str(rings), "--spool", str(spool), "--url", url]
    command += ["--flush-s", "0.1", "--window-s", "1", "--budget", "50%"]
    command += ["--statsd-port", "0", "--metrics-port", "0", *options]
    with open(spool.parent / "agent.log", "ab") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def status_of(spool: Path):
    result = CliRunner().invoke(agent, ["status", "--spool", str(spool), "--json"])
    return json.loads(result.output) if result.exit_code == 0 else None


@pytest.mark.parametrize("rounds", [5, pytest.param(50, marks=pytest.mark.long)])
def test_kill_9_of_the_agent_neither_loses_nor_repeats(tmp_path, rounds):
    rng = random.Random(11 + rounds)
    rings, spool = tmp_path / "rings", tmp_path / "spool"
    with receiver() as collector, target("ring_worker", str(rings), "8192") as worker:
        ring_id = int(ask(worker, "1").split()[0])
        written = 1
        for _ in range(rounds):
            collector.answers += [(503, {"Retry-After": "0"})] * rng.randrange(3)
            with agent_process(rings, spool, collector.url) as process:
                collector.calls.clear()
                until(lambda: collector.calls)
                for _ in range(rng.randrange(5, 40)):
                    count = rng.randrange(1, 40)
                    written += count
                    ask(worker, str(count))
                    time.sleep(rng.uniform(0, 0.02))
                process.send_signal(signal.SIGKILL)
            ask(worker, "7")
            written += 7
        with agent_process(rings, spool, collector.url):
            until(lambda: len(collector.identities()) >= written)
            until(lambda: status_of(spool)["spool"]["files"] <= 1)
        assert sorted(collector.identities()) == [(ring_id, seq) for seq in range(1, written + 1)]


def test_a_collector_that_comes_late_gets_all_and_a_stop_is_clean_and_quick(tmp_path):
    rings, spool = tmp_path / "rings", tmp_path / "spool"
    with receiver() as gone:
        port = int(gone.url.rpartition(":")[2])
    ring = make_ring(rings)
    with agent_process(rings, spool, f"http://127.0.0.1:{port}", "--host", "h") as process:
        write(ring, 50)
        until(lambda: (status := status_of(spool)) and "not reached" in status["last_error"])
        with receiver(port) as collector:
            until(lambda: len(collector.identities()) == 50)
            write(ring, 5)
            process.terminate()
            assert process.wait(5) == 0
            assert len(collector.identities()) == 55
    status = status_of(spool)
    assert (status["state"], status["spool"]["files"]) == ("stopped", 0)


def test_a_stop_is_quick_with_a_collector_that_hangs(tmp_path):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        spool = tmp_path / "spool"
        with agent_process(tmp_path / "rings", spool, url) as process:
            until(lambda: status_of(spool) and status_of(spool)["spool"]["files"] > 2)
            process.terminate()
            assert process.wait(5) == 0
    assert status_of(spool)["spool"]["files"] > 2


def test_status_shows_workers_and_what_went_wrong(tmp_path):
    rings, spool = tmp_path / "rings", tmp_path / "spool"
    ring = make_ring(rings, records=64, release="r[red]1")
    write(ring, 100)
    (rings / "1-00000000000000aa.ring").write_bytes(b"junk")
    token = tmp_path / "absent"
    with agent_process(rings, spool, "http://127.0.0.1:1", "--token-file", str(token)) as process:
        until(lambda: (status := status_of(spool)) and status["workers"] and status["last_error"])
        assert "pandas" not in Path(f"/proc/{process.pid}/maps").read_text()
        text = CliRunner().invoke(agent, ["status", "--spool", str(spool)], env={"COLUMNS": "200"})
        process.terminate()
        assert process.wait(5) == 0
    for expected in (
        "r[red]1", f"token file {token}", "agent.records_dropped: 36", "agent.rings_refused: 1",
        "1-00000000000000aa.ring refused", "sampler: ", str(os.getpid()),
    ):  # fmt: skip
        assert expected in text.output


def test_a_second_agent_on_the_spool_is_one_clear_sentence(tmp_path):
    spool = tmp_path / "spool"
    with agent_process(tmp_path / "rings", spool, "http://127.0.0.1:1"):
        until(lambda: status_of(spool))
        rings = ["--ring-dir", str(tmp_path / "rings")]
        result = CliRunner().invoke(agent, ["run", "--spool", str(spool), *rings])
    assert result.exit_code == 1, result.output
    assert "in use by another agent" in result.output


def test_status_without_an_agent(tmp_path):
    result = CliRunner().invoke(agent, ["status", "--spool", str(tmp_path)])
    assert result.exit_code == 2
    assert "start `dynoscope agent run`" in result.output


@pytest.mark.parametrize("budget", ["0%", "x", "200%"])
def test_a_budget_that_is_none(budget, tmp_path):
    result = CliRunner().invoke(agent, ["run", "--budget", budget, "--spool", str(tmp_path)])
    assert result.exit_code == 2
    assert "such as 1%" in result.output
