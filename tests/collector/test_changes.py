"""POST /v1/changes: validated, stored once, shown."""

import pytest

from tests.collector.conftest import NOW_S
from tests.collector.rows import SERVICE

DEPLOY = {
    "kind": "deploy",
    "service": SERVICE,
    "release": "r2",
    "previous": "r1",
    "commits": ["0123abc"],
    "changed_functions": ["feed.ranking:score"],
    "note": "it's <b>new</b>\n",
}
NOW_MS = int(NOW_S * 1000)


def post(site, body, kind="ingest"):
    return site.client.post("/v1/changes", json=body, headers=site.bearer(kind) if kind else {})


def shown(site):
    answer = site.client.get("/v1/changes?from=-3h&to=-1s", headers=site.bearer("read"))
    return answer.json["data"]


def test_a_change_is_stored_once_and_shown(site):
    body = DEPLOY | {"ts_ms": NOW_MS - 60_000}
    first, second = post(site, body), post(site, body, "admin")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json["id"] == second.json["id"]
    assert shown(site) == [body]


def test_the_senders_own_id_is_the_key(site):
    body = DEPLOY | {"id": "flag-7", "kind": "flag", "ts_ms": NOW_MS - 50_000}
    assert post(site, body).json == {"id": "flag-7"}
    assert post(site, body | {"note": "again"}).json == {"id": "flag-7"}
    assert [change["kind"] for change in shown(site)] == ["deploy", "flag"]


def test_without_a_time_it_is_now(site, store):
    assert post(site, {"kind": "config", "service": "other"}).status_code == 201
    assert post(site, {"kind": "config", "service": "other"}).status_code == 201
    times = store._engine.select("SELECT ts_ms FROM changes WHERE service = 'other'", {})
    assert times["ts_ms"].to_pylist() == [NOW_MS]


@pytest.mark.parametrize(("kind", "status"), [("", 401), ("read", 403)])
def test_other_tokens_may_not(site, kind, status):
    assert post(site, DEPLOY, kind).status_code == status


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"kind": "party"}, "kind: "),
        ({"service": ""}, "service: "),
        ({"commits": "abc"}, "commits: "),
        ({"commits": [1]}, "commits.0: "),
        ({"surprise": 1}, "surprise: "),
        ({"ts_ms": -1}, "ts_ms: "),
        ({"ts_ms": 1}, "ts_ms is not within"),
        ({"ts_ms": NOW_MS + 2 * 86_400_000}, "ts_ms is not within"),
        ({"id": "a'b"}, "id: "),
        ({"note": "x" * 16_001}, "note: "),
    ],
)
def test_refusals_name_the_field(site, change, sentence):
    answer = post(site, DEPLOY | change)
    assert answer.status_code == 400
    assert sentence in answer.json["error"]


def test_what_is_no_json(site):
    answer = site.client.post("/v1/changes", data=b"{", headers=site.bearer("ingest"))
    assert answer.status_code == 400
    assert "JSON" in answer.json["error"]


def test_a_large_body(site):
    answer = site.client.post("/v1/changes", data=b"x" * 4_000_001, headers=site.bearer("ingest"))
    assert answer.status_code == 413
