"""Ways into an engine, each with an engine of its own, stopped while it is another's turn."""

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psutil

from benchmarks.overhead.servers import ROOT, BenchError
from tests.collector.clickhouse import ClickHouse

__all__ = ["DIRECT", "HTTP", "WITHOUT_VIEWS", "HttpLane", "Lane", "Turn", "lanes"]

HTTP, DIRECT, WITHOUT_VIEWS = "HTTP", "direct", "direct, no views"


@dataclass(frozen=True, slots=True)
class Turn:
    """What so many batches took: wall time, and CPU of collector or client and engine."""

    wall_s: float
    cpu_s: float


class Lane(Protocol):
    """One way in."""

    processes: list[psutil.Process]

    def insert(self, count: int, threads: int, name: str) -> float:
        """Insert so many batches from so many threads; returns seconds."""


@dataclass
class HttpLane:
    """Through the collector."""

    processes: list[psutil.Process]
    port: int
    token: str
    bodies: Sequence[bytes]

    def insert(self, count: int, threads: int, name: str) -> float:
        with ThreadPoolExecutor(threads) as pool:
            began_s = time.perf_counter()
            for one in [pool.submit(self._send, count, threads, at, name) for at in range(threads)]:
                one.result()
            return time.perf_counter() - began_s

    def _send(self, count: int, threads: int, first: int, name: str) -> None:
        headers = {"Authorization": f"Bearer {self.token}"}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
        for at in range(first, count, threads):
            body = self.bodies[at % len(self.bodies)]
            connection.request("PUT", f"/v1/batches/{name}-{at}?table=requests", body, headers)
            answer = connection.getresponse()
            words = answer.read()
            if answer.status != 204:
                raise BenchError(f"the collector answered {answer.status}: {words[:300]!r}")
        connection.close()


@dataclass
class DirectLane:
    """From a process that holds the blocks."""

    processes: list[psutil.Process]
    process: subprocess.Popen[str]

    def insert(self, count: int, threads: int, name: str) -> float:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{count} {threads} {name}\n")
        self.process.stdin.flush()
        return float(_line(self.process))


@contextmanager
def lanes(folder: Path, bodies: Sequence[bytes], *, server: bool) -> Iterator[dict[str, Lane]]:
    """All three, started and stopped. `folder` has the blocks that `direct` reads, as `blocks`."""
    with ExitStack() as stack:
        found: dict[str, Lane] = {}
        for at, name in enumerate((HTTP, DIRECT, WITHOUT_VIEWS)):
            own = folder / str(at)
            own.mkdir()
            where, engines = "", list[psutil.Process]()
            if server:
                clickhouse = ClickHouse(own)
                clickhouse.start()
                stack.callback(clickhouse.kill)
                where = clickhouse.url("bench")
                assert clickhouse.process is not None
                engines.append(psutil.Process(clickhouse.process.pid))
            if name == HTTP:
                process = stack.enter_context(_started("collector", str(own), where))
                port, token = _line(process).split()
                of_process = [psutil.Process(process.pid), *engines]
                found[name] = HttpLane(of_process, int(port), token, bodies)
            else:
                words = (str(folder / "blocks"), where or str(own / "data"))
                views = () if name == DIRECT else ("without-views",)
                process = stack.enter_context(_started("direct", *words, *views))
                if _line(process) != "ready":
                    raise BenchError("the direct insert did not start")
                found[name] = DirectLane([psutil.Process(process.pid), *engines], process)
        for lane in found.values():
            _signal(lane, signal.SIGSTOP)
        yield found


def turn(lane: Lane, count: int, threads: int, name: str) -> Turn:
    """Let a lane run, and only it."""
    _signal(lane, signal.SIGCONT)
    try:
        before_s = cpu_s(lane)
        wall_s = lane.insert(count, threads, name)
        return Turn(wall_s, cpu_s(lane) - before_s)
    finally:
        _signal(lane, signal.SIGSTOP)


@contextmanager
def running(lane: Lane) -> Iterator[None]:
    """Let a lane run in the body."""
    _signal(lane, signal.SIGCONT)
    try:
        yield
    finally:
        _signal(lane, signal.SIGSTOP)


def cpu_s(lane: Lane) -> float:
    """User and system time of its processes."""
    times = [process.cpu_times() for process in lane.processes]
    return float(sum(one.user + one.system for one in times))


def peak_rss_bytes(lane: Lane) -> int:
    """The most that its processes held in memory, added up."""
    total_kb = 0
    for process in lane.processes:
        words = Path(f"/proc/{process.pid}/status").read_text().split()
        total_kb += int(words[words.index("VmHWM:") + 1])
    return 1024 * total_kb


def _signal(lane: Lane, which: signal.Signals) -> None:
    for process in lane.processes:
        os.kill(process.pid, which)


@contextmanager
def _started(module: str, *words: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", f"benchmarks.ingesting.{module}", *words]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise BenchError("a process of the benchmark ended; its words stand above")
    return line.strip()
