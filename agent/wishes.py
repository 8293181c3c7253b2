"""Wishes for deep profiles: asked of the collector, written into the control words of the rings."""

import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

from agent.http import Client
from agent.limits import Limits
from agent.workers import Worker
from dynoscope_probe import layout

__all__ = ["Wish", "Wishes", "control_words"]

ASK_EVERY_S = 5.0
TIMEOUT_S = 3.0
WISHES_MAX = 64
_U32_MAX = (1 << 32) - 1


@dataclass(frozen=True, slots=True)
class Wish:
    """Profile so many requests of one endpoint on this host, until then (epoch, s)."""

    number: int
    service: str
    endpoint: str
    requests: int
    expires_s: int


@dataclass(slots=True)
class Wishes:
    """`ask` belongs to the shipping thread, `write` to the flush.

    A worker holds one wish at a time: the newest of its service.
    """

    url: str
    authorization: Callable[[], dict[str, str]]
    limits: Limits
    wall_s: Callable[[], float] = time.time
    monotonic_s: Callable[[], float] = time.monotonic
    #: by service, the newest that has not expired
    asked: dict[str, Wish] = field(default_factory=dict)
    #: (ring id, number) of what was written
    _written: set[tuple[int, int]] = field(default_factory=set)
    _asked_at_s: float = float("-inf")

    def ask(self, client: Client) -> None:
        """Ask the collector, every ASK_EVERY_S at most; what it does not answer stays as it was."""
        if self.monotonic_s() - self._asked_at_s < ASK_EVERY_S:
            return
        self._asked_at_s = self.monotonic_s()
        try:
            answer = client.get(
                f"{self.url}/v1/profiles/wishes", headers=self.authorization(), timeout=TIMEOUT_S
            )
            rows = answer.json()["wishes"] if answer.status_code == 200 else None
        except OSError:  # the shipper says so
            return
        except (ValueError, KeyError, TypeError):
            self.limits.add("wishes_not_understood")
            return
        if rows is not None:
            self._take(rows)

    def write(self, workers: Iterable[Worker]) -> None:
        """Write what is new into the rings of living workers that know the endpoint."""
        wishes = self.asked
        if not wishes:
            return
        alive = [worker for worker in workers if worker.alive]
        services = Counter(_service(worker) for worker in alive)
        for worker in alive:
            service = _service(worker)
            wish, ring = wishes.get(service), worker.ring
            if wish is None or wish.expires_s <= self.wall_s():
                continue
            key = ring.header.ring_id, wish.number
            if key in self._written or wish.endpoint not in ring.strings:
                continue
            share = -(-wish.requests // services[service])
            endpoint_id = ring.strings.index(wish.endpoint) + 1
            try:
                ring.write_control(control_words(wish, endpoint_id, share))
            except OSError:
                self.limits.add("wishes_not_written", service=service)
            self._written.add(key)

    def _take(self, rows: Any) -> None:
        taken: dict[str, Wish] = {}
        for row in rows[:WISHES_MAX] if isinstance(rows, list) else [None]:
            wish = _checked(row)
            if wish is None:
                self.limits.add("wishes_not_understood")
            else:
                taken[wish.service] = wish
        numbers = {wish.number for wish in taken.values()}
        self._written = {key for key in self._written if key[1] in numbers}
        self.asked = taken


def control_words(wish: Wish, endpoint_id: int, requests: int) -> bytes:
    """The wish as `layout.CONTROL` has it."""
    fields = (wish.number, endpoint_id, min(requests, layout.WISH_REQUESTS_MAX), wish.expires_s)
    words = layout.CONTROL.pack(0, *fields)
    return crc32(words[4:]).to_bytes(4, "little") + words[4:]


def _service(worker: Worker) -> str:
    return worker.ring.string(worker.ring.header.service_id)


def _checked(row: Any) -> Wish | None:
    """A wish out of JSON; None for anything else."""
    try:
        wish = Wish(**row)
    except TypeError:
        return None
    numbers = (wish.number, wish.requests, wish.expires_s)
    right = all(type(number) is int and number > 0 for number in numbers)
    right = right and isinstance(wish.service, str) and isinstance(wish.endpoint, str)
    right = right and wish.number <= _U32_MAX and wish.expires_s <= 1 << 40
    return wish if right else None
