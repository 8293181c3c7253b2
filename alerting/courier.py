"""Sees to it that every notification arrives: what is sent is what the store says is not yet."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from alerting.alerts import from_json
from alerting.journal import record_attempt
from alerting.notify import Webhook
from collector.store.alert_reads import alert_events
from collector.store.store import Store

__all__ = ["Courier"]

#: A notification that could not be delivered for so long is given up; the answer `alerts` shows it.
GIVE_UP_MS = 24 * 3_600_000
EVENTS_MAX = 5_000
BACKOFF_FIRST_S = 1.0
BACKOFF_MAX_S = 300.0


@dataclass(slots=True)
class _Attempts:
    count: int = 0
    next_ms: int = 0
    #: arrived, but the store could not take the record of it yet
    sent: str = ""


@dataclass(slots=True)
class Courier:
    """Delivers to every receiver, oldest notification first.

    The store knows what arrived, so a restart sends what is missing. Only the back-off is in
    memory.
    """

    store: Store
    webhooks: Sequence[Webhook]
    _attempts: dict[tuple[str, str], _Attempts] = field(default_factory=dict)

    def deliver_once(self, now_ms: int) -> int:
        """Try what is due, once each; returns how many notifications are still undelivered."""
        pending = self._pending(now_ms) if self.webhooks else []
        alive = {(str(payload["notification_id"]), hook.target) for payload, hook in pending}
        self._attempts = {key: one for key, one in self._attempts.items() if key in alive}
        left = 0
        for payload, hook in pending:
            key = (str(payload["notification_id"]), hook.target)
            attempts = self._attempts.setdefault(key, _Attempts())
            if attempts.next_ms <= now_ms and self._attempt(payload, hook, attempts, now_ms):
                self._attempts.pop(key)
            else:
                left += 1
        return left

    def next_due_ms(self) -> int | None:
        """When the next attempt is due, or None when nothing waits."""
        return min((one.next_ms for one in self._attempts.values()), default=None)

    def _pending(self, now_ms: int) -> list[tuple[dict[str, Any], Webhook]]:
        events = alert_events(
            self.store,
            from_ms=max(0, now_ms - GIVE_UP_MS),
            to_ms=now_ms + 1,
            states=["firing", "resolved", "delivered"],
            limit=EVENTS_MAX,
        )
        payloads = [(event.state, _payload(event.json)) for event in reversed(events)]
        arrived = {
            (payload["notification_id"], payload.get("delivery", {}).get("target"))
            for state, payload in payloads
            if state == "delivered" and payload
        }
        return [
            (payload, hook)
            for state, payload in payloads
            if state != "delivered" and payload
            for hook in self.webhooks
            if (payload["notification_id"], hook.target) not in arrived
        ]

    def _attempt(
        self, payload: dict[str, Any], hook: Webhook, attempts: _Attempts, now_ms: int
    ) -> bool:
        """Whether it arrived and is recorded."""
        retry_after_s = 0.0
        if not attempts.sent:
            outcome = hook.send(payload)
            attempts.count += 1
            attempts.sent = outcome.reason if outcome.delivered else ""
            reason, retry_after_s = outcome.reason, outcome.retry_after_s
        else:
            reason = attempts.sent
        wait_s = min(BACKOFF_FIRST_S * 2 ** (attempts.count - 1), BACKOFF_MAX_S)
        attempts.next_ms = now_ms + round(max(wait_s, retry_after_s) * 1000)
        record_attempt(
            self.store,
            payload,
            target=hook.target,
            delivered=bool(attempts.sent),
            attempt=attempts.count,
            reason=reason,
            now_ms=now_ms,
        )
        return bool(attempts.sent)


def _payload(text: str) -> dict[str, Any]:
    """What was written as an alert; empty where it is none (the evaluator counts those)."""
    try:
        alert = from_json(text)
    except ValueError:
        return {}
    return {**json.loads(text), "notification_id": alert.notification_id}
