"""Who may do what: bearer tokens, and a session cookie for browsers.

A page opened with `?token=<read token>` sets the cookie and redirects to the address without it.
The cookie holds an expiry and its HMAC under the read token, so it does not tell the token, and a
new token ends all sessions. It is SameSite=Lax: the links in alerts open, and requests that change
or ask anything from another site (POST) go without it.
"""

import hmac
import re
from collections.abc import Callable
from hashlib import sha256
from urllib.parse import urlencode

from flask import Flask, Request, Response, jsonify, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from collector.tokens import Tokens, same

__all__ = ["COOKIE", "guard_pages", "needs_admin", "refusal"]

COOKIE = "dynoscope_session"
SESSION_S = 30 * 86_400
#: Served without a token. Batches, changes and wishes check tokens of their own; assets
#: hold no data.
OPEN_PATHS = (
    "/healthz", "/readyz", "/openapi.json", "/favicon.ico", "/_favicon.ico", "/v1/profiles/wishes",
)  # fmt: skip
OPEN_PREFIXES = ("/v1/batches/", "/v1/otlp/", "/assets/", "/_dash-component-suites/")
#: POST to these asks for the admin token by itself.
POSTED = ("/v1/changes", "/v1/profiles", "/v1/silences")
POSTED_BELOW = ("/v1/silences/", "/v1/alerts/")
LOOPBACK = ("127.0.0.1", "::1")
SESSION = re.compile(r"(\d{1,12})\.([0-9a-f]{64})")

PAGE_401 = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Dynoscope: open with the link</title>
<style>body{font:16px/1.5 sans-serif;max-width:40em;margin:4em auto;padding:0 1em}</style></head>
<body><h1>This page needs its link</h1>
<p>Open Dynoscope with the link that <code>dynoscope serve</code> (or the demo) printed when it
started: it ends in <code>?token=</code> and works once per browser for 30 days.</p>
<p>The token is in the file <code>read.token</code> of the data folder.</p></body></html>
"""


def guard_pages(app: Flask, tokens: Tokens, clock: Callable[[], float]) -> None:
    """Ask for the read token on every path of the app that is not open."""

    @app.before_request
    def guard() -> AnyResponse | tuple[Response, int] | None:
        if _is_open(request):
            return None
        token = request.args.get("token")
        if request.method == "GET" and token is not None and same(token, tokens.read):
            return _start_session(tokens, clock)
        if _session_holds(request.cookies.get(COOKIE, ""), tokens, clock):
            return None
        refused = refusal(request, (tokens.read,), (tokens.ingest, tokens.admin))
        if refused is None or request.path.startswith(("/v1/", "/metrics")):
            return refused
        return Response(PAGE_401, status=401, mimetype="text/html")


def needs_admin(tokens: Tokens) -> Callable[[], tuple[Response, int] | None]:
    """Asks of the request that is being answered: None if it carries the admin token."""
    return lambda: refusal(request, (tokens.admin,), (tokens.read, tokens.ingest))


def refusal(
    asked: Request, allowed: tuple[str, ...], others: tuple[str, ...]
) -> tuple[Response, int] | None:
    """None if the bearer token is allowed; 403 for a token of another kind, else 401."""
    scheme, _, given = asked.headers.get("Authorization", "").partition(" ")
    given = given.strip() if scheme.lower() == "bearer" else ""
    # Compare with all, so that the time taken says nothing.
    may = [same(given, token) for token in allowed]
    known = [same(given, token) for token in others]
    if any(may):
        return None
    if any(known):
        return jsonify(error="This token is not for this: use the one of another file."), 403
    response = jsonify(error="A token is needed: send Authorization: Bearer <token>.")
    response.headers["WWW-Authenticate"] = "Bearer"
    return response, 401


def _is_open(asked: Request) -> bool:
    if asked.path == "/metrics":
        return asked.remote_addr in LOOPBACK
    if asked.path in POSTED and asked.method == "POST":
        return True
    if asked.path.startswith(POSTED_BELOW) and asked.method == "POST":
        return True
    return asked.path in OPEN_PATHS or asked.path.startswith(OPEN_PREFIXES)


def _start_session(tokens: Tokens, clock: Callable[[], float]) -> AnyResponse:
    kept = [(key, value) for key, value in request.args.items(multi=True) if key != "token"]
    # One leading slash: `//host` would lead to another site.
    path = "/" + request.path.lstrip("/\\")
    response = redirect(path + ("?" + urlencode(kept) if kept else ""))
    expires_s = int(clock()) + SESSION_S
    response.set_cookie(
        COOKIE,
        f"{expires_s}.{_signature(expires_s, tokens)}",
        max_age=SESSION_S,
        httponly=True,
        samesite="Lax",
        secure=request.is_secure,
    )
    return response


def _session_holds(cookie: str, tokens: Tokens, clock: Callable[[], float]) -> bool:
    match = SESSION.fullmatch(cookie)
    if match is None or int(match[1]) < clock():
        return False
    return same(match[2], _signature(int(match[1]), tokens))


def _signature(expires_s: int, tokens: Tokens) -> str:
    return hmac.new(tokens.read.encode(), f"session:{expires_s}".encode(), sha256).hexdigest()
