"""One attempt to hand something to a receiver over HTTP, and what came of it."""

import hashlib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit

import httpx

from alerting.errors import BadReceiver

__all__ = ["Outcome", "checked_url", "post", "target_of"]

RETRY_AFTER_MAX_S = 600.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """`retry_after_s`: what the receiver asked for, or 0. `reason`: one sentence. `final`: it will
    never be taken, so another attempt is of no use."""

    delivered: bool
    reason: str
    retry_after_s: float = 0.0
    final: bool = False


def post(
    url: str,
    body: bytes,
    *,
    target: str,
    timeout_s: float,
    headers: Mapping[str, str] | None = None,
    final: tuple[int, ...] = (),
) -> Outcome:
    """POST JSON; any 2xx is a delivery. The body of the answer is not read, redirects are not
    followed, the environment's proxies are not used. Answers in `final` are not worth repeating."""
    try:
        with (
            httpx.Client(timeout=timeout_s, trust_env=False, verify=_certificates()) as client,
            client.stream(
                "POST",
                url,
                content=body,
                headers={"Content-Type": "application/json", **(headers or {})},
            ) as response,
        ):
            return _outcome(response, target, final)
    except httpx.TimeoutException:
        return Outcome(False, f"{target} did not answer within {timeout_s:g} s")
    except httpx.HTTPError as error:
        return Outcome(False, f"{target} is not reached: {type(error).__name__}")


def checked_url(url: str) -> str:
    """The address as it is; raises BadReceiver when nothing can be sent to it."""
    try:
        parsed = httpx.URL(url)
        usable = parsed.scheme in ("http", "https") and bool(parsed.host) and bool(urlsplit(url))
    except (httpx.InvalidURL, ValueError):
        usable = False
    if not usable:
        raise BadReceiver(f"The webhook {url!r} is not an address: write http://HOST:PORT/PATH.")
    return url


def target_of(url: str) -> str:
    """A receiver's name in records: without path and query, which can hold a secret."""
    parts = urlsplit(url)
    digest = hashlib.sha256(url.encode()).hexdigest()[:8]
    return f"{parts.hostname}:{parts.port or parts.scheme}-{digest}"


@cache
def _certificates() -> ssl.SSLContext:
    """Read once: it takes longer than all else about a message."""
    return httpx.create_ssl_context(trust_env=False)


def _outcome(response: httpx.Response, target: str, final: tuple[int, ...]) -> Outcome:
    if response.is_success:
        return Outcome(True, f"delivered to {target}")
    return Outcome(
        False,
        f"{target} answered {response.status_code}",
        _retry_after_s(response.headers.get("Retry-After", "")),
        response.status_code in final,
    )


def _retry_after_s(text: str) -> float:
    """Seconds; a date, which few send, is not understood and gives 0."""
    return min(float(text), RETRY_AFTER_MAX_S) if text.isascii() and text.isdigit() else 0.0
