"""PUT /v1/batches: who may, what is refused and counted, that repeats count once."""

import threading

import pytest

from collector.app import create_app
from collector.store.errors import StoreError
from collector.store.store import Store
from tests.collector import rows
from tests.collector.arrow import stream
from tests.collector.conftest import NOW_S, Site
from tests.collector.rows import SERVICE, START_MS

GOOD = rows.request_rows(100, 5)
WINDOW = {"service": SERVICE, "from_ms": START_MS, "to_ms": START_MS + 600_000}


def put(site, body, batch_id="b", table="requests", kind="ingest", **headers):
    return site.client.put(
        f"/v1/batches/{batch_id}?table={table}",
        data=body,
        headers={**(site.bearer(kind) if kind else {}), **headers},
    )


def counted(site, reason):
    name = f'dynoscope_batches_rejected_total{{reason="{reason}"}} '
    lines = [line for line in site.client.get("/metrics").text.splitlines() if name in line]
    return float(lines[0].removeprefix(name)) if lines else 0.0


def stored(store, table="requests"):
    return store._engine.select(f"SELECT count() AS n FROM {table}", {})["n"].to_pylist()[0]


def test_a_batch_is_stored_once_however_often_it_is_sent(site, store):
    before = stored(store)
    for attempt in ("1", "2", "3"):
        answer = put(site, stream(GOOD), "once", **{"X-Dynoscope-Attempt": attempt})
        assert (answer.status_code, answer.data) == (204, b"")
    assert stored(store) == before + 100
    assert sum(store.query("endpoints_minutes", **WINDOW)["requests"].to_pylist()) == 100
    metrics = site.client.get("/metrics").text
    assert 'dynoscope_batch_repeats_total{table="requests"} 2.0' in metrics
    assert 'dynoscope_rows_total{table="requests"} 300.0' in metrics
    assert "dynoscope_insert_seconds_count 3.0" in metrics


@pytest.mark.parametrize(("kind", "status"), [("", 401), ("read", 403), ("admin", 403)])
def test_other_tokens_may_not(site, store, kind, status):
    before = stored(store), counted(site, "token")
    answer = put(site, stream(GOOD), "no", kind=kind)
    assert answer.status_code == status
    assert "token" in answer.json["error"].lower()
    assert (stored(store), counted(site, "token")) == (before[0], before[1] + 1)


def test_a_session_cookie_is_no_ingest_token(site):
    client = site.client
    client.get("/", query_string={"token": site.tokens.read})
    assert client.put("/v1/batches/x?table=requests", data=stream(GOOD)).status_code == 401


@pytest.mark.parametrize(
    ("body", "why", "sentence"),
    [
        (b"junk", "not_arrow", "not an Arrow IPC stream"),
        (stream(GOOD.drop_columns(["cost"])), "column", "Column 'cost' is missing."),
        (
            stream(GOOD.set_column(5, "seq", GOOD["seq"].cast("string"))),
            "type",
            "Column 'seq' is string, not uint64.",
        ),
    ],
)
def test_refusals_name_column_and_reason_and_are_counted(site, store, body, why, sentence):
    before = stored(store), counted(site, why)
    answer = put(site, body, "refused")
    assert answer.status_code == 400
    assert sentence in answer.json["error"]
    assert (stored(store), counted(site, why)) == (before[0], before[1] + 1)


@pytest.mark.parametrize(
    "table",
    [
        "",
        "nope",
        "hosts",
        "changes",
        "alert_events",
        "silence_events",
        "requests; DROP TABLE requests",
    ],
)
def test_unknown_tables(site, table):
    answer = put(site, stream(GOOD), table=table)
    assert answer.status_code == 400
    assert "takes no batches: use one of requests" in answer.json["error"]


@pytest.mark.parametrize("batch_id", ["a'b", "a b", "x" * 129, "%00", "ä"])
def test_batch_ids_of_other_characters(site, batch_id):
    assert put(site, stream(GOOD), batch_id).status_code == 400


def test_a_large_body_is_refused_unread(site):
    answer = put(site, b"\0" * 32_000_001)
    assert answer.status_code == 413
    assert "32,000,000 bytes" in answer.json["error"]


def test_other_methods_and_paths_answer_in_json(site):
    reader = site.bearer("read")
    assert site.client.post("/v1/batches/b", headers=reader).status_code == 405
    assert "error" in site.client.post("/v1/batches/b", headers=reader).json


def test_a_store_that_fails_is_told_with_retry_after(site, store, monkeypatch):
    """The folder's disk is gone, as far as the store can say."""

    def broken(*_: object) -> None:
        raise StoreError("The store failed: no space left on device")

    monkeypatch.setattr(store._engine, "insert", broken)
    answer = put(site, stream(GOOD), "later")
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert "no space left" in answer.json["error"]
    monkeypatch.undo()
    assert put(site, stream(GOOD), "later").status_code == 204


def test_more_batches_than_slots_are_sent_away_and_shown_as_a_limit(site, store, monkeypatch):
    """All slots are taken by inserts that wait; the next batch gets 503, then a row in limits."""
    release, waiting, real = threading.Event(), threading.Semaphore(0), Store.insert_group

    def slow(self, table, batches):
        waiting.release()
        assert release.wait(30)
        return real(self, table, batches)

    monkeypatch.setattr(Store, "insert_group", slow)
    app = create_app(store, site.tokens, clock=lambda: NOW_S + 60, batches_at_once=4)
    fresh = Site(app, site.tokens)
    statuses = []
    sent = {
        "requests": GOOD,
        "metrics": rows.metric_rows("slot", [1.0]),
        "stack_samples": rows.sample_rows(5, 1),
        "statements": rows.statement_rows(),
    }

    def send(table):
        statuses.append(put(fresh, stream(sent[table]), "slot", table).status_code)

    senders = [threading.Thread(target=send, args=(table,)) for table in sent]
    for sender in senders:
        sender.start()
    for _ in senders:
        assert waiting.acquire(timeout=30)
    refused = put(fresh, stream(GOOD), "one-more")
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "2")
    release.set()
    for sender in senders:
        sender.join()
    assert statuses == [204] * 4
    hits = store._engine.select("SELECT `where`, what, count FROM limits", {}).to_pylist()
    assert {"where": "collector", "what": "batches_at_once", "count": 1} in hits
