"""Sends what the spool holds, in order, over one connection, until the collector has it."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from threading import Event

from agent.http import Answer, Client
from agent.limits import Limits
from agent.spool import Entry, Spool, SpoolFile

__all__ = ["Shipper"]

BACKOFF_S = (0.5, 30.0)
REFUSED_WAIT_S = 30.0
#: A backlog goes out no faster: so many a second, after so many at once. A collector that comes
#: back meets all its agents' backlogs at the same time.
SENDINGS_PER_S = 20.0
SENDINGS_AT_ONCE = 100.0
RETRY_AFTER_S_MAX = 300.0
REASON_CHARACTERS_MAX = 500
IDLE = "waiting for rows"


@dataclass(slots=True)
class Shipper:
    """One loop in one thread. `state` and `last_error` are for people.

    Taken: 2xx. Never to be taken, so set aside: 400, 413, 422. Everything else is kept and tried
    again: after Retry-After, slowly while the token is refused, else with growing pauses.
    """

    spool: Spool
    url: str
    token_file: Path | None
    limits: Limits
    rng: random.Random
    wall_ms: Callable[[], int]
    timeout_s: float = 10.0
    backoff_s: tuple[float, float] = BACKOFF_S
    refused_wait_s: float = REFUSED_WAIT_S
    #: set when there is something new to send
    wake: Event = field(default_factory=Event)
    #: called over the same connection after each round of sending
    after: Callable[[Client], None] = lambda _: None
    monotonic_s: Callable[[], float] = time.monotonic
    state: str = "starting"
    last_error: str = ""
    last_ok_ms: int = 0
    #: batches that were taken
    sent: int = 0
    _attempts: dict[str, int] = field(default_factory=dict)
    _done: set[str] = field(default_factory=set)
    _failures: int = 0
    #: sendings that may go out at once, and when that was so
    _allowed: float = SENDINGS_AT_ONCE
    _allowed_at_s: float = float("-inf")

    def run(self, stop: Event) -> None:
        """Send until `stop` is set and then once more what is there, as far as it goes."""
        with Client(self.timeout_s) as client:
            while True:
                stopping = stop.is_set()
                wait_s = self.send_all(client)
                if stopping:
                    return
                self.after(client)
                if wait_s is None:
                    self.wake.wait(1.0)
                else:
                    stop.wait(wait_s)
                self.wake.clear()

    def send_all(self, client: Client) -> float | None:
        """Send until the spool is empty (None) or something is in the way (seconds to wait)."""
        while (file := self.spool.oldest()) is not None:
            for entry in file.entries:
                if entry.batch_id in self._done:
                    continue
                wait_s = self._throttle() or self._send(client, file, entry)
                if wait_s is not None:
                    return wait_s
                self._done.add(entry.batch_id)
            self.spool.settled(file)
            self._done.clear()
            self._attempts.clear()
        self.state = IDLE
        return None

    def _throttle(self) -> float | None:
        """Take leave for one sending: None, or how long to wait for it (a token bucket)."""
        now_s = self.monotonic_s()
        gained = (now_s - self._allowed_at_s) * SENDINGS_PER_S
        self._allowed = min(SENDINGS_AT_ONCE, self._allowed + gained)
        self._allowed_at_s = now_s
        if self._allowed < 1:
            return 1 / SENDINGS_PER_S
        self._allowed -= 1
        return None

    def _send(self, client: Client, file: SpoolFile, entry: Entry) -> float | None:
        """One batch: None when it is settled, else how long to wait before the next try."""
        body = self.spool.body(file, entry)
        if body is None:
            return None
        # A file from before the start may have been sent already: that counts as an attempt.
        attempt = self._attempts.get(entry.batch_id, int(file.before_start)) + 1
        self._attempts[entry.batch_id] = attempt
        if self.state == IDLE:
            self.state = "sending"
        try:
            response = client.put(
                f"{self.url}/v1/batches/{entry.batch_id}",
                params={"table": entry.table},
                content=body,
                headers={
                    "Content-Type": "application/vnd.apache.arrow.stream",
                    "X-Dynoscope-Attempt": str(attempt),
                    **self.authorization(),
                },
            )
        except OSError as error:
            return self._later("collector not reached", f"{self.url}: {error}", self._pause_s())
        return self._judge(response, entry, body)

    def _judge(self, response: Answer, entry: Entry, body: bytes) -> float | None:
        code = response.status_code
        if response.is_success:
            self._failures, self.state, self.last_error = 0, "sending", ""
            self.last_ok_ms = self.wall_ms()
            self.sent += 1
            return None
        reason = f"{code}: {response.text[:REASON_CHARACTERS_MAX]}"
        if code in (400, 413, 422):
            self.spool.reject(entry, body, reason)
            self.last_error = f"{entry.table} batch rejected, {reason}"
            return None
        if code in (429, 503):
            wait_s = _retry_after_s(response, self.wall_ms() / 1000)
            wait_s = self._pause_s() if wait_s is None else wait_s + self.rng.uniform(0, 0.5)
            return self._later("collector is busy", reason, wait_s)
        if code < 500:
            what = "token refused" if code in (401, 403) else "collector refuses"
            return self._later(what, reason, self.refused_wait_s * self.rng.uniform(0.8, 1.2))
        return self._later("collector fails", reason, self._pause_s())

    def _later(self, state: str, error: str, wait_s: float) -> float:
        self.limits.add("sendings_failed")
        self.state, self.last_error = state, f"{state}: {error}"
        return wait_s

    def _pause_s(self) -> float:
        """Doubling with every failure in a row, spread at random over half of it."""
        first, most = self.backoff_s
        pause_s = min(most, first * 2.0 ** min(self._failures, 16))
        self._failures += 1
        return self.rng.uniform(0.5, 1.0) * pause_s

    def authorization(self) -> dict[str, str]:
        """The token's header. Read anew each time, so that a changed token needs no restart."""
        if self.token_file is None:
            return {}
        try:
            token = self.token_file.read_text().strip()
        except OSError as error:
            raise OSError(f"token file {self.token_file}: {error.strerror}") from error
        return {"Authorization": f"Bearer {token}"}


def _retry_after_s(response: Answer, now_s: float) -> float | None:
    """Retry-After in seconds, as a number or a date; None where there is none."""
    text = response.headers.get("Retry-After", "")
    if text.isdigit():
        return min(float(text), RETRY_AFTER_S_MAX)
    try:
        return min(max(0.0, parsedate_to_datetime(text).timestamp() - now_s), RETRY_AFTER_S_MAX)
    except ValueError:
        return None
