"""Tokens, session cookies, and which paths are open."""

import pytest

from collector.access import COOKIE, SESSION_S
from collector.app import create_app
from tests.collector.conftest import NOW_S


def test_open_paths_need_no_token(site):
    for path in ("/healthz", "/readyz", "/metrics"):
        assert site.client.get(path).status_code == 200, path


def test_metrics_are_open_on_loopback_only(site):
    far = {"environ_overrides": {"REMOTE_ADDR": "192.0.2.7"}}
    assert site.client.get("/metrics", **far).status_code == 401
    assert site.client.get("/metrics", headers=site.bearer("read"), **far).status_code == 200


@pytest.mark.parametrize("path", ["/", "/compare?a=1", "/_dash-layout", "/v1/endpoints"])
def test_pages_and_answers_need_the_read_token(site, path):
    assert site.client.get(path).status_code == 401
    assert site.client.get(path, headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert site.client.get(path, headers={"Authorization": "Basic abc"}).status_code == 401
    for kind in ("ingest", "admin"):
        refused = site.client.get(path, headers=site.bearer(kind))
        assert refused.status_code in (401, 403)
        assert not refused.text.startswith("page "), "what the page of this site shows"


def test_a_page_without_a_session_says_how_to_open_it(site):
    refused = site.client.get("/compare")
    assert refused.status_code == 401
    assert refused.mimetype == "text/html"
    assert "dynoscope serve" in refused.text
    assert site.client.post("/_dash-update-component", json={}).status_code == 401


def test_an_answer_without_a_token_says_so_in_json(site):
    refused = site.client.get("/v1/hosts")
    assert refused.headers["WWW-Authenticate"] == "Bearer"
    assert "Authorization: Bearer" in refused.json["error"]
    wrong = site.client.get("/v1/hosts", headers=site.bearer("ingest"))
    assert (wrong.status_code, "another file" in wrong.json["error"]) == (403, True)


def test_the_link_trades_the_token_for_a_cookie_and_hides_it(site):
    client = site.client
    first = client.get(f"/compare?token={site.tokens.read}&a=release%3Ar1&b=x%26y")
    assert first.status_code == 302
    assert first.headers["Location"] == "/compare?a=release%3Ar1&b=x%26y"
    cookie = first.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert site.tokens.read not in cookie
    assert client.get("/compare").text == "page compare"
    assert client.get("/v1/hosts").status_code == 200


def test_the_redirect_stays_on_this_site(site):
    for path in ("//evil.example/", "/\\evil.example", "///evil.example"):
        answer = site.client.get(path, query_string={"token": site.tokens.read})
        assert answer.status_code == 302, path
        assert answer.headers["Location"] in ("/", "/evil.example"), path


@pytest.mark.parametrize("token", ["", "wrong", "INGEST", "ADMIN"])
def test_other_tokens_in_the_link_open_nothing(site, token):
    given = {"INGEST": site.tokens.ingest, "ADMIN": site.tokens.admin}.get(token, token)
    answer = site.client.get("/", query_string={"token": given})
    assert answer.status_code == 401
    assert "Set-Cookie" not in answer.headers


def test_cookies_that_were_made_up_changed_or_outlived_are_refused(site, store):
    client = site.client
    client.get("/", query_string={"token": site.tokens.read})
    good = client.get_cookie(COOKIE).value
    expires, signature = good.split(".")
    bad = [
        "",
        "x",
        signature,
        f"{int(expires) + 1}.{signature}",
        f"{expires}.{'0' * 64}",
        f"{'9' * 20}.{signature}",
    ]
    for value in bad:
        other = site.client
        other.set_cookie(COOKIE, value)
        assert other.get("/").status_code == 401, value
    later = create_app(store, site.tokens, clock=lambda: NOW_S + SESSION_S + 1).test_client()
    later.set_cookie(COOKIE, good)
    assert later.get("/v1/services").status_code == 401


def test_answers_carry_security_headers(site):
    answer = site.client.get("/healthz")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
