"""From the workers' rings to the store, with everything on the way killed at random under load.

Either the collector's process holds the database, and killing it kills both; or agent, collector
and a ClickHouse server are killed, alone and together. What was written is afterwards in the
store, each request once, raw and rolled up.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any, Protocol

import pytest

from agent.errors import AgentError
from agent.status import read_status
from collector.store.store import open_store
from collector.tokens import load_or_make_tokens
from tests.agent.processes import ROOT, ask, target, until
from tests.collector.clickhouse import ClickHouse, free_port

WORKERS = 2
LONG = (pytest.mark.long, pytest.mark.timeout(1800))
SERVICE = "shop"
#: What is killed in a round; the first rounds take them in turn, whatever the seed.
EMBEDDED = (("collector",), ("agent",), ("agent", "collector"))
SERVED = (
    ("server",), ("agent", "server", "collector"), ("collector",), ("agent",),
    ("server", "collector"), ("agent", "server"), ("agent", "collector"),
)  # fmt: skip


class Part(Protocol):
    """Something that is killed and started again with what it has on disk."""

    def start(self) -> "subprocess.Popen[Any]": ...


class Server:
    """A ClickHouse server on one port and one data folder, started as often as needed."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._server = ClickHouse(folder, port=free_port())
        self.address = self._server.url("cost")

    def start(self) -> "subprocess.Popen[Any]":
        self._server.start()
        assert self._server.process is not None
        return self._server.process


class Collector:
    """A collector on one port and one data folder, started as often as needed."""

    def __init__(self, folder: Path, clickhouse: str) -> None:
        self._folder = folder
        self._environment = {**os.environ, "CLICKHOUSE": clickhouse}
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"

    def start(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.collector.serving"]
        process = subprocess.Popen(
            [*command, str(self._folder), str(self._port)],
            cwd=ROOT, stdout=subprocess.PIPE, text=True, env=self._environment,
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
        self.flush_s = 0.1

    def start(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "dynoscope", "agent", "run", "--url", self._url]
        command += ["--ring-dir", str(self.rings), "--spool", str(self.spool)]
        command += ["--flush-s", str(self.flush_s)]
        command += ["--token-file", str(self._token), "--statsd-port", "0", "--metrics-port", "0"]
        with self._log.open("ab") as log:
            return subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, text=True)


def end(process: "subprocess.Popen[Any]") -> None:
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


def stored(address: str | Path) -> tuple[dict[tuple[int, int], int], float]:
    """((ring id, seq) -> rows, requests by the roll-up)."""
    store = open_store(address)
    try:
        sql = "SELECT ring_id, seq, count() AS n FROM requests GROUP BY ring_id, seq"
        rows = store._engine.select(sql, {}).to_pylist()
        now_ms = time.time_ns() // 1_000_000
        window = {"from_ms": now_ms - 3_600_000, "to_ms": now_ms + 60_000, "service": SERVICE}
        rolled_up = sum(store.query("endpoints_minutes", **window)["requests"].to_pylist())
        return {(row["ring_id"], row["seq"]): row["n"] for row in rows}, rolled_up
    finally:
        store.close()


def campaign(folder: Path, rounds: int, server: Server | None) -> None:
    rng = random.Random(rounds)
    load_or_make_tokens(folder)
    collector = Collector(folder, server.address if server else "")
    agent = Agent(folder, collector.url)
    # In the order in which they start: each needs the one before it, but the agent none.
    parts: dict[str, Part] = {"server": server} if server else {}
    parts |= {"collector": collector, "agent": agent}
    victims = SERVED if server else EMBEDDED
    written: Counter[int] = Counter()
    processes: dict[str, subprocess.Popen[Any]] = {}
    try:
        for name, part in parts.items():
            processes[name] = part.start()
        with (
            target("ring_worker", str(agent.rings), "65536") as one,
            target("ring_worker", str(agent.rings), "65536") as two,
        ):
            for number in range(rounds):
                written |= load([one, two], rng, rng.uniform(0.2, 1.5))
                first = number < len(victims)
                for name in victims[number] if first else rng.choice(victims):
                    end(processes[name])
                    written |= load([one, two], rng, rng.choice((0, rng.uniform(0, 0.3))))
                written |= load([one, two], rng, rng.uniform(0, 0.7))
                for name, process in processes.items():
                    if process.returncode is not None:
                        processes[name] = parts[name].start()
            written |= load([one, two], rng, 0.5)
            # The last agent writes less often, so that a slow machine comes to an end with all.
            end(processes["agent"])
            agent.flush_s = 2.0
            processes["agent"] = agent.start()
            until(lambda: _sent(agent, written), 240)
        if server is None:  # the database is free once its collector is gone
            end(processes.pop("collector"))
        check(stored(server.address if server else folder), written, rounds)
    finally:
        for process in processes.values():
            end(process)


def check(
    found: tuple[dict[tuple[int, int], int], float], written: Counter[int], rounds: int
) -> None:
    """What was sent is stored, each once."""
    rows, rolled_up = found
    sent = {(ring_id, seq) for ring_id, last in written.items() for seq in range(1, last + 1)}
    assert len(written) == WORKERS and len(sent) > 100 * rounds
    assert rows.keys() == sent
    assert set(rows.values()) == {1}
    assert rolled_up == len(sent)


@pytest.mark.parametrize("rounds", [3, pytest.param(20, marks=LONG)])
def test_what_was_written_is_stored_once_after_kills_of_agent_and_collector(tmp_path, rounds):
    campaign(tmp_path, rounds, None)


@pytest.mark.parametrize("rounds", [3, pytest.param(20, marks=LONG)])
def test_what_was_written_is_stored_once_after_kills_of_a_server_too(tmp_path, rounds):
    campaign(tmp_path, rounds, Server(tmp_path / "clickhouse"))


def _sent(agent: Agent, written: Counter[int]) -> bool:
    """Whether the agent has read all that was written, and the collector has taken it."""
    status = _status(agent)
    if status is None or status["spool"]["files"] > 1 or status["last_error"]:
        return False
    read = {int(one["ring_id"], 16): one["seq"] for one in status["workers"]}
    return read == dict(written) and _sent_since(agent, status["updated_ms"])


def _sent_since(agent: Agent, read_ms: int) -> bool:
    """Whether a sending was taken after the records had been read."""
    until(lambda: (now := _status(agent)) and now["updated_ms"] > read_ms + 1000, 60)
    status = _status(agent)
    return bool(status["ship"]["last_ok_ms"] > read_ms) and status["spool"]["files"] <= 1


def _status(agent: Agent) -> Any:
    """None before its first flush."""
    try:
        return read_status(agent.spool)
    except AgentError:
        return None
