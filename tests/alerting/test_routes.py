"""What on-call does over HTTP: acknowledge, silence, export; and replay."""

import re
from dataclasses import replace
from typing import Any

import flask
import pytest
from flask.testing import FlaskClient as Client

from alerting.alerts import Alert
from alerting.courier import Courier
from alerting.journal import record_alert, record_attempts
from alerting.receivers import Webhook
from alerting.routes import OPERATIONS, alerting_routes
from collector.store.store import Store
from tests.alerting.conftest import Receiver
from tests.alerting.payloads import ALERT, NOW_MS, resolved
from tests.alerting.traffic import FEED, MINUTE_MS, START_MS, put_requests
from tests.collector.rows import deploy_rows, metric_rows

WHO = {"by": "ann", "reason": "we look"}


@pytest.fixture
def client(stored: Store) -> Client:
    app = flask.Flask("test")

    def refuse() -> Any:
        may = flask.request.headers.get("Authorization") == "Bearer admin"
        return None if may else (flask.jsonify(error="no"), 401)

    app.register_blueprint(alerting_routes(stored, refuse, lambda: (NOW_MS + 60_000) / 1000))
    return app.test_client()


def asked(client: Client, path: str, body: Any, token: str = "admin") -> Any:
    return client.post(path, json=body, headers={"Authorization": f"Bearer {token}"})


def fire(store: Store, one: str, **changes: Any) -> Alert:
    alert = replace(ALERT, id=one, **changes)
    record_alert(store, alert, NOW_MS)
    return alert


def test_an_acknowledgement_names_who_looks(stored: Store, client: Client) -> None:
    fire(stored, "acked", labels={"service": "acked"})
    assert asked(client, "/v1/alerts/acked/ack", WHO).status_code == 201
    text = client.get("/v1/alerts/acked/export").text
    assert "acknowledged by ann: we look" in text
    assert asked(client, "/v1/alerts/nobody/ack", WHO).status_code == 404
    assert asked(client, "/v1/alerts/acked/ack", {"by": "ann"}).json["error"].startswith("reason: ")


def test_what_changes_anything_needs_the_admin_token(client: Client) -> None:
    for path in ("/v1/alerts/a/ack", "/v1/silences", "/v1/silences/s/end"):
        assert asked(client, path, {}, "read").status_code == 401


def test_a_silence_begins_holds_and_ends(stored: Store, client: Client, receiver: Receiver) -> None:
    body = {"matchers": {"service": "quiet.*"}, "for_s": 600, **WHO}
    made = asked(client, "/v1/silences", body).json
    assert made["ends_ms"] == NOW_MS + 660_000
    assert made["id"] in {one["id"] for one in client.get("/v1/silences").get_json()["data"]}
    fire(stored, "silent", labels={"service": "quietly"})
    courier = Courier(stored, [Webhook(receiver.url)])
    courier.deliver_once(NOW_MS + 60_000)
    assert "silent" not in {payload["id"] for payload in receiver.taken}
    assert asked(client, f"/v1/silences/{made['id']}/end", WHO).status_code == 201
    assert asked(client, f"/v1/silences/{made['id']}/end", WHO).status_code == 404
    courier.deliver_once(NOW_MS + 60_001)
    assert "silent" in {payload["id"] for payload in receiver.taken}


@pytest.mark.parametrize(
    "body",
    [{}, {"matchers": {}, "for_s": 60, **WHO}, {"matchers": {"a": "b"}, "for_s": 0, **WHO},
     {"matchers": {"a": "b"}, "for_s": 31 * 86_400, **WHO}, {"matchers": {"a": "b"}, "for_s": 60}],
)  # fmt: skip
def test_a_silence_without_end_reason_or_labels_is_refused(client: Client, body: Any) -> None:
    answer = asked(client, "/v1/silences", body)
    assert answer.status_code == 400 and answer.json["error"].endswith(".")


def test_the_export_tells_the_story_in_order(stored: Store, client: Client) -> None:
    details = {
        "grew": [{"part": "db_ms", "before_ms": 3.0, "after_ms": 660.0}],
        "errors": [{"type": "KeyError", "message": "<b>x</b>", "events": 3}],
    }
    alert = fire(stored, "told", labels={"service": "told", "endpoint": FEED}, details=details)
    stored.insert("changes", deploy_rows("r2", "r1", ts_ms=NOW_MS - 600_000, service="told"), "d")
    put_requests(
        stored, start_ms=NOW_MS - 300_000, span_ms=300_000, n=600, service="told", wall_ms=700
    )
    payload = {**resolved(), "id": "told", "started_ms": alert.started_ms}
    record_attempts(
        stored, [payload], target="hook", state="delivered", attempt=1, reason="delivered to hook",
        now_ms=NOW_MS + 1_000,
    )  # fmt: skip
    answer = client.get("/v1/alerts/told/export")
    assert answer.mimetype == "text/markdown"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="incident-told.md"'
    places = [
        answer.text.index(words)
        for words in (
            "# Incident: feed-latency", "db_ms: 3.0 to 660.0 ms", "KeyError: \\<b\\>x\\</b\\>",
            "release r2 after r1", "**firing** (page)", "delivered to hook", "requests/s",
            "P99 ms", "## Links",
        )
    ]  # fmt: skip
    assert places == sorted(places)
    assert "<b>" not in answer.text and "█" in answer.text
    assert client.get("/v1/alerts/nobody/export").status_code == 404


def test_replay_says_when_it_would_have_paged(stored: Store, client: Client) -> None:
    """Two hours of traffic; 20 minutes of it slow."""
    service, first_ms = "past", START_MS - 120 * MINUTE_MS
    slow_ms = first_ms + 80 * MINUTE_MS
    for start_ms, minutes, wall_ms in ((first_ms, 80, 40), (slow_ms, 20, 700)):
        put_requests(
            stored, start_ms=start_ms, span_ms=minutes * MINUTE_MS, n=600 * minutes,
            wall_ms=wall_ms, service=service,
        )  # fmt: skip
    rules = (
        f"slos:\n  - {{name: feed, service: {service}, endpoint: {FEED}, target: p99 < 500 ms}}\n"
    )
    others = "alerts:\n  - {name: e, kind: new-error}\n  - {name: h, kind: cost-per-active-user}\n"
    body = {"rules": rules + others, "last_s": 86_400.0}
    past = asked(client, "/v1/rules/replay", body, "read").json["data"]
    (fired,) = past["fired"]
    assert (fired["rule"], fired["service"], fired["severity"]) == ("feed", service, "page")
    # A ticket at once; a page when 6% of the six hours are slow: after 5.1 minutes.
    assert fired["started_ms"] <= slow_ms + 2 * MINUTE_MS
    assert fired["paged_ms"] == [slow_ms + 6 * MINUTE_MS]
    assert past["notes"] == ["rules of kind cost-per-active-user are not replayed, so not h"]
    assert asked(client, "/v1/rules/replay", {"rules": "slos: 5"}, "read").status_code == 400


def test_a_replay_of_metrics(stored: Store, client: Client) -> None:
    for name, value in (("edge_total", 100.0), ("edge_bad", 30.0)):
        rows = metric_rows(
            name, [value] * 200, start_ms=NOW_MS - 3_600_000, step_ms=15_000, service="edge"
        )
        stored.insert("metrics", rows, name)
    rules = (
        "slos:\n  - {name: edge, service: edge, objective: 99%, total: {metric: edge_total}, "
        "bad: {metric: edge_bad}}\n"
    )
    past = asked(client, "/v1/rules/replay", {"rules": rules}, "read").json["data"]
    assert [(one["rule"], one["severity"]) for one in past["fired"]] == [("edge", "page")]


def test_every_route_is_documented_and_nothing_else(client: Client) -> None:
    served = {
        (re.sub(r"<(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in client.application.url_map.iter_rules()
        if rule.endpoint != "static"
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    documented = {
        (path, method)
        for path, operations in OPERATIONS.items()
        for method in operations
        if method != "parameters"
    }
    assert served == documented
    for path, operations in OPERATIONS.items():
        for one in operations.get("parameters", []):
            assert f"{{{one['name']}}}" in path
