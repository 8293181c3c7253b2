"""A thousand agents: each flushes every few seconds, waits when it is told to, and sends again."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from benchmarks.ingesting.rows import FLUSH_S

__all__ = ["Fleet", "Seen"]

#: Stands for a status where there was no answer.
NOT_REACHED = 0


@dataclass(slots=True)
class Seen:
    """What the agents saw: acknowledged batches and rows, whole flushes, other answers, and the
    seconds from when a flush was due to the acknowledgement of each of its batches."""

    flushes: int = 0
    batches: int = 0
    rows: int = 0
    refused: Counter[int] = field(default_factory=Counter)
    waits_s: list[float] = field(default_factory=list)


@dataclass(slots=True)
class Fleet:
    """`flushes`: batches (table, rows, body) that one agent sends at once; agents take turns."""

    port: int
    token: str
    agents: int
    flushes: Sequence[Sequence[tuple[str, int, bytes]]]
    seed: int
    seen: Seen = field(default_factory=Seen)

    def run(self, seconds: float) -> Seen:
        """For so long; what is under way at the end is not counted."""
        asyncio.run(self._run(seconds))
        return self.seen

    async def _run(self, seconds: float) -> None:
        end_s = time.monotonic() + seconds
        agents = [asyncio.create_task(self._agent(at, end_s)) for at in range(self.agents)]
        _, late = await asyncio.wait(agents, timeout=seconds)
        for one in late:
            one.cancel()
        await asyncio.gather(*agents, return_exceptions=True)
        for one in agents:
            if one in late or one.cancelled():
                continue
            if (error := one.exception()) is not None:
                raise error

    async def _agent(self, at: int, end_s: float) -> None:
        random = Random(self.seed * 100_000 + at)
        due_s = time.monotonic() + random.uniform(0, FLUSH_S)
        await asyncio.sleep(due_s - time.monotonic())
        connection = _Connection(self.port)
        number = 0
        while time.monotonic() < end_s:
            for table, rows, body in self.flushes[(at + number) % len(self.flushes)]:
                await self._batch(connection, f"a{at}-{number}", table, body, random)
                self.seen.batches += 1
                self.seen.rows += rows
                self.seen.waits_s.append(time.monotonic() - due_s)
            self.seen.flushes += 1
            number, due_s = number + 1, due_s + FLUSH_S
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))
        connection.close()

    async def _batch(
        self, connection: "_Connection", batch_id: str, table: str, body: bytes, random: Random
    ) -> None:
        attempt = 1
        while True:
            head = (
                f"PUT /v1/batches/{batch_id}?table={table} HTTP/1.1\r\nHost: x\r\n"
                f"Authorization: Bearer {self.token}\r\nX-Dynoscope-Attempt: {attempt}\r\n"
                f"Content-Length: {len(body)}\r\n\r\n"
            )
            try:
                status, retry_after_s = await connection.answer(head.encode() + body)
            except (OSError, EOFError):
                connection.close()
                status, retry_after_s = NOT_REACHED, 1.0
            if status == 204:
                return
            self.seen.refused[status] += 1
            if status not in (NOT_REACHED, 429, 503):
                raise RuntimeError(f"a batch of {table} was refused with {status}")
            attempt += 1
            await asyncio.sleep(retry_after_s + random.uniform(0, 0.5))


class _Connection:
    """One that stays open, and is opened again after it failed."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._open: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def answer(self, request: bytes) -> tuple[int, float]:
        """(status, Retry-After in s); raises OSError and EOFError."""
        if self._open is None:
            self._open = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._open
        writer.write(request)
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines if ": " in line)
        await reader.readexactly(int(headers.get("content-length", 0)))
        if headers.get("connection") == "close":
            self.close()
        return int(first.split()[1]), float(headers.get("retry-after", 1))

    def close(self) -> None:
        if self._open is not None:
            self._open[1].close()
            self._open = None
