"""From the workers' rings to the store, with agent and collector killed at random under load.

The collector's process holds the database: killing it kills both. What was written is afterwards
in the store, each request once, raw and rolled up.
"""

import random
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from collector.store.store import open_store
from collector.tokens import load_or_make_tokens
from tests.agent.processes import ROOT, ask, target, until
from tests.agent.test_command import status_of

WORKERS = 2


class Collector:
    """A collector on one port and one data folder, started as often as needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"

    def start(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.collector.serving"]
        process = subprocess.Popen(
            [*command, str(self._folder), str(self._port)],
            cwd=ROOT, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline().startswith("ready ")
        return process


class Agent:
    """An agent on one spool, started as often as needed."""

    def __init__(self, folder: Path, url: str) -> None:
        self.rings, self.spool = folder / "rings", folder / "spool"
        self._log, self._url = folder / "agent.log", url
        self._token = folder / "ingest.token"

    def start(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "dynoscope", "agent", "run", "--url", self._url]
        command += ["--ring-dir", str(self.rings), "--spool", str(self.spool), "--flush-s", "0.1"]
        command += ["--token-file", str(self._token), "--statsd-port", "0", "--metrics-port", "0"]
        with self._log.open("ab") as log:
            return subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, text=True)


def end(process: subprocess.Popen[str]) -> None:
    """kill -9, and wait for it."""
    process.send_signal(signal.SIGKILL)
    process.communicate()


def load(workers: list[subprocess.Popen[str]], rng: random.Random, seconds: float) -> Counter[int]:
    """Have the workers write for a while; ring id -> last seq."""
    written: Counter[int] = Counter()
    until_s = time.monotonic() + seconds
    while time.monotonic() < until_s:
        worker = rng.choice(workers)
        ring_id, seq = map(int, ask(worker, str(rng.randrange(1, 30))).split())
        written[ring_id] = seq
        time.sleep(rng.uniform(0, 0.01))
    return written


def stored(folder: Path) -> tuple[dict[tuple[int, int], int], float]:
    """((ring id, seq) -> rows, requests by the roll-up)."""
    store = open_store(folder)
    try:
        sql = "SELECT ring_id, seq, count() AS n FROM requests GROUP BY ring_id, seq"
        rows = store._engine.select(sql, {}).to_pylist()
        sql = "SELECT sum(n) AS n FROM endpoint_minutes"
        (rolled_up,) = store._engine.select(sql, {})["n"].to_pylist()
        return {(row["ring_id"], row["seq"]): row["n"] for row in rows}, rolled_up
    finally:
        store.close()


@pytest.mark.parametrize("rounds", [3, pytest.param(20, marks=pytest.mark.long)])
def test_what_was_written_is_stored_once_after_kills_of_agent_and_collector(tmp_path, rounds):
    rng = random.Random(rounds)
    load_or_make_tokens(tmp_path)
    collector = Collector(tmp_path)
    agent = Agent(tmp_path, collector.url)
    parts = {"agent": agent, "collector": collector}
    processes = {name: part.start() for name, part in parts.items()}
    written: Counter[int] = Counter()
    try:
        with (
            target("ring_worker", str(agent.rings), "65536") as one,
            target("ring_worker", str(agent.rings), "65536") as two,
        ):
            for number in range(rounds):
                written |= load([one, two], rng, rng.uniform(0.2, 1.5))
                # Each alone and both at once, in turn, whatever the seed.
                for name in (("collector",), ("agent",), ("agent", "collector"))[number % 3]:
                    end(processes[name])
                written |= load([one, two], rng, rng.uniform(0, 0.7))
                for name, process in processes.items():
                    if process.returncode is not None:
                        processes[name] = parts[name].start()
            written |= load([one, two], rng, 0.5)
            until(lambda: _sent(agent, written), 120)
    finally:
        for process in processes.values():
            end(process)
    sent = {(ring_id, seq) for ring_id, last in written.items() for seq in range(1, last + 1)}
    rows, rolled_up = stored(tmp_path)
    assert len(written) == WORKERS and len(sent) > 100 * rounds
    assert rows.keys() == sent
    assert set(rows.values()) == {1}
    assert rolled_up == len(sent)


def _sent(agent: Agent, written: Counter[int]) -> bool:
    """Whether the agent has read all that was written, and the collector has taken it."""
    status = status_of(agent.spool)
    if status is None or status["spool"]["files"] > 1 or status["last_error"]:
        return False
    read = {int(one["ring_id"], 16): one["seq"] for one in status["workers"]}
    return read == dict(written) and _sent_since(agent, status["updated_ms"])


def _sent_since(agent: Agent, read_ms: int) -> bool:
    """Whether a sending was taken after the records had been read."""
    until(lambda: (now := status_of(agent.spool)) and now["updated_ms"] > read_ms + 1000, 30)
    status = status_of(agent.spool)
    return bool(status["ship"]["last_ok_ms"] > read_ms) and status["spool"]["files"] <= 1
