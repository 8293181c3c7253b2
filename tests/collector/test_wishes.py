"""Wishes for deep profiles: who may ask, who may look, and for how long they stand."""

import random
import threading

import pytest

from collector.app import create_app
from collector.tokens import Tokens
from collector.wishes import REQUESTS_MAX, WISH_S, WISHES_MAX, NewWish, Wishes

WISH = {"service": "shop", "endpoint": "GET /feed", "requests": 7}


@pytest.fixture
def site(store):
    """A site with a clock that can be moved: `site.now[0]`."""

    class Moving:
        now = [1_700_000_000.0]
        tokens = Tokens(ingest="i" * 30, read="r" * 30, admin="a" * 30)

        def __init__(self):
            self.client = create_app(store, self.tokens, clock=lambda: self.now[0]).test_client()

        def bearer(self, kind):
            return {"Authorization": f"Bearer {getattr(self.tokens, kind)}"} if kind else {}

        def post(self, body, kind="admin"):
            return self.client.post("/v1/profiles", json=body, headers=self.bearer(kind))

        def open(self, kind="ingest"):
            return self.client.get("/v1/profiles/wishes", headers=self.bearer(kind))

    return Moving()


def test_an_agent_gets_what_was_asked_for_until_it_expires(site):
    answer = site.post(WISH)
    assert answer.status_code == 201
    wish = {key: answer.json[key] for key in ("number", "expires_s")} | WISH
    assert answer.json["asked_ms"] == site.now[0] * 1000
    assert 0 < wish["number"] < 1 << 32
    assert site.open().json == {"wishes": [wish]}
    site.now[0] += WISH_S - 1
    assert site.open().json == {"wishes": [wish]}
    site.now[0] += 1
    assert site.open().json == {"wishes": []}


def test_a_newer_wish_takes_the_place_of_the_services_older_one(site):
    first = site.post(WISH).json
    other = site.post(WISH | {"service": "zoo"}).json
    second = site.post(WISH | {"endpoint": "GET /home"}).json
    assert first["number"] != second["number"]
    numbers = [wish["number"] for wish in site.open().json["wishes"]]
    assert numbers == [other["number"], second["number"]]


@pytest.mark.parametrize(("kind", "status"), [("read", 403), ("ingest", 403), ("", 401)])
def test_only_the_admin_token_may_ask(site, kind, status):
    assert site.post(WISH, kind).status_code == status
    assert site.open().json == {"wishes": []}


def test_a_browsers_session_may_not_ask(site):
    assert site.client.get(f"/v1/health?token={site.tokens.read}").status_code == 302
    assert site.client.get("/v1/health").status_code == 200
    assert site.client.post("/v1/profiles", json=WISH).status_code == 401


@pytest.mark.parametrize(("kind", "status"), [("read", 403), ("admin", 403), ("", 401)])
def test_only_the_agents_token_may_look(site, kind, status):
    assert site.open(kind).status_code == status


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"endpoint": "GET /feed"}, "service"),
        (WISH | {"service": ""}, "service"),
        (WISH | {"endpoint": 5}, "endpoint"),
        (WISH | {"endpoint": "x" * 4_097}, "endpoint"),
        (WISH | {"requests": 0}, "requests"),
        (WISH | {"requests": REQUESTS_MAX + 1}, "requests"),
        (WISH | {"requests": "7"}, "requests"),
        (WISH | {"more": 1}, "more"),
        ([], "the body"),
    ],
)
def test_a_bad_wish_is_one_sentence(site, body, where):
    answer = site.post(body)
    assert answer.status_code == 400
    assert answer.json["error"].startswith(where)
    assert site.open().json == {"wishes": []}


def test_a_body_that_is_too_large_is_refused(site):
    assert site.post(WISH | {"endpoint": "x" * 30_000}).status_code == 413


def test_wishes_are_bounded(site):
    for number in range(WISHES_MAX):
        assert site.post(WISH | {"service": f"s{number}"}).status_code == 201
    full = site.post(WISH)
    assert (full.status_code, full.headers["Retry-After"]) == (429, "60")
    assert site.post(WISH | {"service": "s3"}).status_code == 201
    site.now[0] += WISH_S
    assert site.post(WISH).status_code == 201


def test_many_may_ask_at_once():
    wishes = Wishes(random.Random(3))

    def ask(name):
        for _ in range(50):
            wishes.add(NewWish(service=name, endpoint="GET /"), 1_000.0)
            wishes.open(1_000.0)

    threads = [threading.Thread(target=ask, args=(f"s{n}",)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(wish.service for wish in wishes.open(1_000.0)) == sorted(
        f"s{n}" for n in range(16)
    )
