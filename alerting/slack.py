"""Slack: an incoming webhook."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from alerting.receivers import REPEAT_S, Payload
from alerting.sending import Outcome, post, target_of

__all__ = ["Slack"]

#: Slack cuts what is longer.
TEXT_MAX = 2_900
ALERTS_MAX = 20
COLOURS = {"firing": {"page": "#c92a2a", "ticket": "#e67700"}, "resolved": {}}
RESOLVED_COLOUR = "#2b8a3e"


@dataclass(frozen=True, slots=True)
class Slack:
    """One message for the alerts of one rule and state."""

    url: str
    timeout_s: float = 5.0
    repeat_s: float = REPEAT_S

    is_grouped = True
    keeps_state = False

    @property
    def target(self) -> str:
        return f"slack-{target_of(self.url)}"

    def send(self, payloads: Sequence[Payload]) -> Outcome:
        # 404, 403 and 410: the webhook was taken back, as Slack documents.
        body = json.dumps(message(payloads)).encode()
        return post(self.url, body, target=self.target, timeout_s=self.timeout_s)


def message(payloads: Sequence[Payload]) -> dict[str, object]:
    """The text for notifications, and a block for each alert."""
    first = payloads[0]
    many = f" ({len(payloads)} alerts)" if len(payloads) > 1 else ""
    title = f"[{first['state']}] {first['rule']}{many}"
    left_out = len(payloads) - ALERTS_MAX
    attachments = [_attachment(payload) for payload in payloads[:ALERTS_MAX]]
    if left_out > 0:
        attachments.append({"text": f"and {left_out} more", "fallback": f"and {left_out} more"})
    return {"text": _plain(title), "attachments": attachments}


def _attachment(payload: Payload) -> dict[str, object]:
    links = " · ".join(f"<{to}|{_plain(word)}>" for word, to in payload["links"].items())
    text = _plain(str(payload["summary"]))[:TEXT_MAX]
    colours = COLOURS.get(str(payload["state"]), {})
    return {
        "color": colours.get(str(payload["severity"]), RESOLVED_COLOUR),
        "text": f"{text}\n{links}" if links else text,
        "fallback": text,
        "footer": f"{payload['severity']} · {payload['notification_id']}",
        "ts": (payload["ended_ms"] or payload["started_ms"]) // 1000,
        "mrkdwn_in": ["text"],
    }


def _plain(text: str) -> str:
    """Slack's control characters are to be read: nothing becomes a link or a mention."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
