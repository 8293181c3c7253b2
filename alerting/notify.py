"""One notification to one receiver over HTTP: one attempt, with a time limit."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from alerting.errors import BadWebhook

__all__ = ["Outcome", "Webhook", "webhook_of"]

RETRY_AFTER_MAX_S = 600.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """`retry_after_s`: what the receiver asked for, or 0. `reason`: one sentence."""

    delivered: bool
    reason: str
    retry_after_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Webhook:
    """POSTs the alert as JSON to `url`; any 2xx is a delivery. Redirects are not followed."""

    url: str
    timeout_s: float = 5.0

    @property
    def target(self) -> str:
        """The receiver's name in records: without path and query, which can hold a secret."""
        parts = urlsplit(self.url)
        return f"{parts.hostname}:{parts.port or parts.scheme}-{_digest(self.url)[:8]}"

    def send(self, payload: Mapping[str, Any]) -> Outcome:
        """One attempt. The body is not read: a status is all that is asked for."""
        notification_id = str(payload["notification_id"])
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": notification_id,
            "X-Dynoscope-Notification": notification_id,
        }
        body = json.dumps(payload, allow_nan=False).encode()
        try:
            with (
                httpx.Client(timeout=self.timeout_s, trust_env=False) as client,
                client.stream("POST", self.url, content=body, headers=headers) as response,
            ):
                return self._outcome(response)
        except httpx.TimeoutException:
            return Outcome(False, f"{self.target} did not answer within {self.timeout_s:g} s")
        except httpx.HTTPError as error:
            return Outcome(False, f"{self.target} is not reached: {type(error).__name__}")

    def _outcome(self, response: httpx.Response) -> Outcome:
        if response.is_success:
            return Outcome(True, f"delivered to {self.target}")
        reason = f"{self.target} answered {response.status_code}"
        return Outcome(False, reason, _retry_after_s(response.headers.get("Retry-After", "")))


def webhook_of(url: str, timeout_s: float) -> Webhook:
    """A receiver; raises BadWebhook when `url` is no address to send to."""
    try:
        parsed = httpx.URL(url)
        usable = parsed.scheme in ("http", "https") and bool(parsed.host) and bool(urlsplit(url))
    except (httpx.InvalidURL, ValueError):
        usable = False
    if not usable:
        raise BadWebhook(f"The webhook {url!r} is not an address: write http://HOST:PORT/PATH.")
    return Webhook(url, timeout_s)


def _retry_after_s(text: str) -> float:
    """Seconds; a date, which few send, is not understood and gives 0."""
    return min(float(text), RETRY_AFTER_MAX_S) if text.isascii() and text.isdigit() else 0.0


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
