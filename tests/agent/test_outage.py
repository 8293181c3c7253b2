"""The collector is away for ten minutes: nothing is lost, all comes in order, none is trampled."""

import random
import time
from collections import Counter
from itertools import pairwise

import pytest

from agent.http import Client
from agent.limits import Limits
from agent.ship import SENDINGS_AT_ONCE, SENDINGS_PER_S
from agent.spool import Spool
from tests.agent.processes import ask, target, until
from tests.agent.receiver import receiver
from tests.agent.test_command import agent_process, status_of
from tests.agent.test_ship import commit, shipper

AWAY_S = 600
FLUSH_S = 5.0
BATCHES = 5


class Outage:
    """A sender on a clock that only waits move: it flushes every 5 s and sends as it may."""

    def __init__(self, spool: Spool, url: str) -> None:
        self.now_s, self.value = 0.0, 0
        self._spool, self._flush_s = spool, FLUSH_S
        self._shipper = shipper(
            spool, url, rng=random.Random(5), monotonic_s=lambda: self.now_s,
            wall_ms=lambda: int(self.now_s * 1000), timeout_s=2.0,
        )  # fmt: skip

    def until(self, end_s: float) -> list[float]:
        """Go on until then; when it tried to send, in its own time."""
        tries = []
        with Client(2.0) as client:
            while self.now_s < end_s:
                while self._flush_s <= self.now_s:
                    commit(self._spool, *range(self.value, self.value + BATCHES))
                    self.value += BATCHES
                    self._flush_s += FLUSH_S
                tries.append(self.now_s)
                wait_s = self._shipper.send_all(client)
                self.now_s += 1.0 if wait_s is None else wait_s
        return tries


def test_ten_minutes_of_the_senders_clock(tmp_path):
    spool = Spool(tmp_path, Limits(), wall_ms=lambda: 0)
    with receiver() as gone:
        port = int(gone.url.rpartition(":")[2])
    sender = Outage(spool, f"http://127.0.0.1:{port}")
    tries = sender.until(AWAY_S)
    # Away: growing pauses, 15 to 30 s in the end, never the same.
    assert len(tries) < 60
    late = [after - before for before, after in pairwise(tries[-10:])]
    assert all(15 <= wait <= 30 for wait in late) and len(set(late)) > 5
    waiting = spool.size()[0]
    assert waiting > AWAY_S / FLUSH_S - 10
    with receiver(port) as back:
        arrivals: list[int] = []
        while (before := len(back.calls)) < sender.value or before == 0:
            sender.until(sender.now_s + 1.0)
            arrivals.append(len(back.calls) - before)
        counts = [row["count"] for row in back.rows("limits")]
    spool.close()
    assert counts == list(range(sender.value))
    busiest = max(sum(arrivals[at : at + 10]) for at in range(len(arrivals)))
    assert busiest <= SENDINGS_AT_ONCE + 11 * SENDINGS_PER_S
    assert sum(arrivals[:60]) >= waiting * BATCHES, "it takes longer than a minute"


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_ten_minutes_of_the_wall(tmp_path):
    rings, spool = tmp_path / "rings", tmp_path / "spool"
    with receiver() as gone:
        port = int(gone.url.rpartition(":")[2])
    url = f"http://127.0.0.1:{port}"
    with (
        target("ring_worker", str(rings), "65536") as worker,
        agent_process(rings, spool, url, "--flush-s", "1"),
    ):
        ends_s, written = time.monotonic() + AWAY_S, 0
        while time.monotonic() < ends_s:
            ring_id, written = map(int, ask(worker, "20").split())
            time.sleep(0.5)
        assert status_of(spool)["spool"]["files"] > 100
        with receiver(port) as back:
            arrivals: Counter[int] = Counter()
            seen = 0

            def drained() -> bool:
                nonlocal seen
                now = len(back.calls)
                arrivals[int(time.monotonic())] += now - seen
                seen = now
                return len(back.identities()) >= written

            until(drained, 300)
            identities = back.identities()
    assert identities == [(ring_id, seq) for seq in range(1, written + 1)]
    most = max(sum(arrivals[second + at] for at in range(10)) for second in arrivals)
    assert most <= SENDINGS_AT_ONCE + 11 * SENDINGS_PER_S
