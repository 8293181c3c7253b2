"""Tells a dead man's switch that alerting works: when this stops, something else pages."""

import json
from dataclasses import dataclass

from alerting.errors import AlertingError
from alerting.sending import post, target_of

__all__ = ["Heartbeat"]


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """POSTs to `url` every `every_s` while rules are evaluated."""

    url: str
    every_s: float = 60.0
    timeout_s: float = 5.0

    def beat(self, now_ms: int) -> None:
        """Raises AlertingError when it is not taken."""
        body = json.dumps({"from": "dynoscope", "ts_ms": now_ms}).encode()
        outcome = post(self.url, body, target=target_of(self.url), timeout_s=self.timeout_s)
        if not outcome.delivered:
            raise AlertingError(f"no heartbeat: {outcome.reason}")
