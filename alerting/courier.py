"""Sees to it that every notification arrives: what is sent is what the store says is not yet."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from alerting.journal import record_attempts, record_silenced
from alerting.outbox import Due, Outbox, due_for, read_outbox
from alerting.receivers import Payload, Receiver
from collector.store.store import Store

__all__ = ["GIVE_UP_MS", "Courier"]

#: A notification that could not be delivered for so long is given up; the answer `alerts` shows it.
GIVE_UP_MS = 24 * 3_600_000
BACKOFF_FIRST_S = 1.0
BACKOFF_MAX_S = 300.0
ALERTS_A_MESSAGE_MAX = 100


@dataclass(slots=True)
class _Attempts:
    """Of a message: the back-off is the receiver's, since what fails is mostly the receiver."""

    count: int = 0
    next_ms: int = 0


@dataclass(slots=True)
class Courier:
    """Delivers to every receiver, oldest notification first.

    The store knows what arrived, so a restart sends what is missing. Only the back-off is in
    memory. `instance`: who this is; what another evaluator wrote is sent only if nothing is known
    of its delivery after `grace_s`.
    """

    store: Store
    receivers: Sequence[Receiver]
    instance: str = "evaluator"
    grace_s: float = 0.0
    _attempts: dict[str, _Attempts] = field(default_factory=dict)
    #: (notification id, target) -> when a receiver that keeps state was told last
    _told_ms: dict[tuple[str, str], int] = field(default_factory=dict)
    #: arrived, but the store could not take the record of it yet: -> why it counts as arrived
    _sent: dict[tuple[str, str], str] = field(default_factory=dict)
    _next_ms: int | None = None

    def each_alone(self) -> list["Courier"]:
        """One courier a receiver: on threads of their own none waits for another's time limit."""
        return [
            replace(self, receivers=[one], _attempts={}, _told_ms={}, _sent={})
            for one in self.receivers
        ]

    def deliver_once(self, now_ms: int) -> int:
        """Try what is due, once each; returns how many notifications are still undelivered."""
        self._next_ms = None
        if not self.receivers:
            return 0
        outbox = read_outbox(self.store, max(0, now_ms - GIVE_UP_MS), now_ms)
        for payload, silence in outbox.newly_silenced:
            record_silenced(self.store, payload, silence, now_ms)
        return sum(self._deliver_to(one, outbox, now_ms) for one in self.receivers)

    def next_due_ms(self) -> int | None:
        """When the next attempt is due, or None when nothing waits."""
        return self._next_ms

    def _deliver_to(self, receiver: Receiver, outbox: Outbox, now_ms: int) -> int:
        target = receiver.target
        due = due_for(
            outbox,
            receiver,
            told_ms={key: ms for (key, to), ms in self._told_ms.items() if to == target},
            now_ms=now_ms,
            instance=self.instance,
            grace_s=self.grace_s,
        )
        left = sum(one.is_news for one in due.now) + len(due.later)
        for one in due.later:
            self._wake_at(one.due_ms)
        attempts = self._attempts.setdefault(target, _Attempts())
        for message in _messages(due.now, receiver.is_grouped):
            if attempts.next_ms > now_ms:
                self._wake_at(attempts.next_ms)
                break
            if not self._attempt(receiver, message, attempts, now_ms):
                self._wake_at(attempts.next_ms)
                break
            attempts.count = attempts.next_ms = 0
            left -= sum(one.is_news for one in message)
        return left

    def _attempt(
        self, receiver: Receiver, message: Sequence[Due], attempts: _Attempts, now_ms: int
    ) -> bool:
        """Whether it arrived and is recorded; what is refused for good counts as done, too."""
        target = receiver.target
        payloads: list[Payload] = [one.payload for one in message]
        keys = [(str(payload["notification_id"]), target) for payload in payloads]
        sent = next((self._sent[key] for key in keys if key in self._sent), "")
        outcome = None if sent else receiver.send(payloads)
        attempts.count += 1
        if outcome is not None:
            sent = outcome.reason if outcome.delivered else ""
            wait_s = min(BACKOFF_FIRST_S * 2 ** (attempts.count - 1), BACKOFF_MAX_S)
            attempts.next_ms = now_ms + round(max(wait_s, outcome.retry_after_s) * 1000)
        if sent:
            self._sent.update(dict.fromkeys(keys, sent))
        refused = outcome is not None and outcome.final
        news = [one.payload for one in message if one.is_news or not receiver.keeps_state]
        record_attempts(
            self.store,
            news,
            target=target,
            state="delivered" if sent else "refused" if refused else "failed",
            attempt=attempts.count,
            reason=sent or (outcome.reason if outcome else ""),
            now_ms=now_ms,
        )
        for key in keys:
            self._sent.pop(key, None)
            if sent or refused:
                self._told_ms[key] = now_ms
        return bool(sent) or refused

    def _wake_at(self, due_ms: int) -> None:
        self._next_ms = due_ms if self._next_ms is None else min(self._next_ms, due_ms)


def _messages(due: Sequence[Due], grouped: bool) -> list[list[Due]]:
    """What goes together: alerts of one rule and state where the receiver groups, oldest first."""
    messages: list[list[Due]] = []
    for one in due:
        last = next(
            (
                m
                for m in messages
                if grouped
                and len(m) < ALERTS_A_MESSAGE_MAX
                and (m[0].payload["rule"], m[0].payload["state"])
                == (one.payload["rule"], one.payload["state"])
            ),
            None,
        )
        if last is None:
            messages.append([one])
        else:
            last.append(one)
    return messages
