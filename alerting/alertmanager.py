"""Prometheus Alertmanager, API v2: routes, groups, inhibits and silences where there is one."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from alerting.alerts import rfc3339
from alerting.receivers import Payload
from alerting.sending import Outcome, post, target_of

__all__ = ["Alertmanager"]

#: What tells one alert from another; the rest is told in annotations, since it may change.
IDENTITY = ("service", "endpoint", "host", "error", "unit", "severity")
REFRESH_S = 60.0
#: An alert that is not told of again for so many refreshes is over for Alertmanager.
REFRESHES_MISSED = 4


@dataclass(frozen=True, slots=True)
class Alertmanager:
    """Told of every firing alert again and again, as Prometheus does; each time with an end a few
    refreshes ahead, so that alerts end if Dynoscope does. `url`: http://HOST:9093."""

    url: str
    timeout_s: float = 5.0
    repeat_s: float = REFRESH_S
    clock: Callable[[], float] = time.time

    is_grouped = True
    keeps_state = True

    @property
    def target(self) -> str:
        return f"alertmanager-{target_of(self.url)}"

    def send(self, payloads: Sequence[Payload]) -> Outcome:
        ends_ms = round((self.clock() + REFRESHES_MISSED * self.repeat_s) * 1000)
        body = json.dumps([alert(payload, ends_ms) for payload in payloads]).encode()
        url = f"{self.url.rstrip('/')}/api/v2/alerts"
        # 400: one of them is refused, and would be again.
        return post(url, body, target=self.target, timeout_s=self.timeout_s, final=(400,))


def alert(payload: Payload, ends_ms: int) -> dict[str, object]:
    """`ends_ms`: when a firing one ends by itself."""
    labels = payload["labels"]
    others = {
        f"label_{name}": str(value)
        for name, value in labels.items()
        if name not in IDENTITY and value and name.isidentifier()
    }
    return {
        "labels": {
            "alertname": payload["rule"],
            "alert_id": payload["id"],
            **{name: str(labels[name]) for name in IDENTITY if labels.get(name)},
        },
        "annotations": {
            "summary": payload["summary"],
            "notification_id": payload["notification_id"],
            **others,
            **{f"link_{word}": to for word, to in payload["links"].items()},
        },
        "startsAt": payload["started_at"],
        "endsAt": payload["ended_at"] or rfc3339(ends_ms),
        "generatorURL": next(iter(payload["links"].values()), ""),
    }
