"""PagerDuty: Events API v2."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from alerting.receivers import REPEAT_S, Payload
from alerting.sending import Outcome, post, target_of

__all__ = ["EVENTS_URL", "PagerDuty"]

EVENTS_URL = "https://events.pagerduty.com/v2/enqueue"
SUMMARY_MAX = 1_024
SEVERITIES = {"page": "critical", "ticket": "warning"}


@dataclass(frozen=True, slots=True)
class PagerDuty:
    """One incident an alert: its id is the de-duplication key, so repeats and a second evaluator
    page nobody twice, and the resolve closes what the trigger opened."""

    routing_key: str = field(repr=False)
    url: str = EVENTS_URL
    timeout_s: float = 5.0
    repeat_s: float = REPEAT_S

    is_grouped = False
    keeps_state = False

    @property
    def target(self) -> str:
        return f"pagerduty-{target_of(self.url + self.routing_key)}"

    def send(self, payloads: Sequence[Payload]) -> Outcome:
        body = json.dumps(event(payloads[0], self.routing_key), allow_nan=False).encode()
        # 400: the event itself is refused, and would be again.
        return post(self.url, body, target=self.target, timeout_s=self.timeout_s, final=(400,))


def event(payload: Payload, routing_key: str) -> dict[str, object]:
    labels = payload["labels"]
    whole: dict[str, object] = {
        "routing_key": routing_key,
        "event_action": "resolve" if payload["state"] == "resolved" else "trigger",
        "dedup_key": payload["id"],
    }
    if payload["state"] == "resolved":
        return whole
    return whole | {
        "client": "Dynoscope",
        "links": [{"href": to, "text": word} for word, to in payload["links"].items()],
        "payload": {
            "summary": str(payload["summary"])[:SUMMARY_MAX],
            "source": labels.get("service") or "dynoscope",
            "severity": SEVERITIES.get(str(payload["severity"]), "error"),
            "timestamp": payload["started_at"],
            "component": labels.get("endpoint", ""),
            "group": payload["rule"],
            "class": payload["rule"],
            "custom_details": {
                "notification_id": payload["notification_id"],
                "labels": labels,
                "details": payload["details"],
            },
        },
    }
