"""What a receiver of notifications is, and the plain webhook."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from alerting.sending import Outcome, checked_url, post, target_of

__all__ = ["Payload", "REPEAT_S", "Receiver", "Webhook", "webhook_of"]

#: An alert as it is delivered: alerts.to_payload.
Payload = Mapping[str, Any]
#: A firing alert that nobody acknowledged is sent again after so long.
REPEAT_S = 4 * 3_600.0


class Receiver(Protocol):
    """Where notifications go. One call is one attempt within a time limit; it never raises."""

    @property
    def target(self) -> str:
        """Its name in records and on pages; holds no secret."""

    @property
    def repeat_s(self) -> float:
        """After how long a firing alert is sent again; 0: never."""

    @property
    def is_grouped(self) -> bool:
        """Whether several alerts of one rule and state go in one message."""

    @property
    def keeps_state(self) -> bool:
        """Whether it must be told again and again that an alert goes on (Alertmanager): repeats
        are then no news, are not recorded, and acknowledging does not stop them."""

    def send(self, payloads: Sequence[Payload]) -> Outcome:
        """Notifications of one rule and state; just one where it is not grouped."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """POSTs each alert as JSON to `url`; any 2xx is a delivery."""

    url: str
    timeout_s: float = 5.0
    repeat_s: float = REPEAT_S
    is_grouped: bool = False
    keeps_state: bool = False

    @property
    def target(self) -> str:
        return target_of(self.url)

    def send(self, payloads: Sequence[Payload]) -> Outcome:
        """The alert; or, grouped, `{"version", "rule", "state", "alerts": [...]}`."""
        first = payloads[0]
        key = str(first["notification_id"])
        body: Any = first
        if self.is_grouped:
            body = {
                "version": 1,
                "rule": first["rule"],
                "state": first["state"],
                "alerts": list(payloads),
            }
        return post(
            self.url,
            json.dumps(body, allow_nan=False).encode(),
            target=self.target,
            timeout_s=self.timeout_s,
            headers={"Idempotency-Key": key, "X-Dynoscope-Notification": key},
        )


def webhook_of(url: str, timeout_s: float) -> Webhook:
    """A receiver; raises BadReceiver when `url` is no address to send to."""
    return Webhook(checked_url(url), timeout_s)
