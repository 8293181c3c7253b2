"""Whole life cycles over a real store and real receivers; hours of burn in milliseconds."""

import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from alerting.build import build_evaluator
from alerting.evaluator import Evaluator
from alerting.regression import CostWatch, LiveRelease
from alerting.rulebook import BUNDLED_DIR, RuleBook
from alerting.rules import Rules
from collector.answers.alerts import alerts
from collector.answers.records import Answer, Window
from collector.answers.slos import slos
from collector.errors import BadQuestion
from collector.store.alert_reads import open_alerts
from collector.store.errors import StoreError
from collector.store.store import Store
from profiler.records import Comparison
from tests.alerting.conftest import Receiver
from tests.alerting.traffic import FEED, MINUTE_MS, SERVICE, START_MS, put_requests
from tests.collector.rows import alert_rows, metric_rows

STEP_MS = 5_000
SETTLE_S = 2.0
FORGED = json.dumps(
    {
        "id": "x5", "rule": "r", "state": "firing", "severity": "doom", "labels": {}, "summary": "",
        "started_ms": 1, "ended_ms": 0, "details": {}, "links": {},
    }
)  # fmt: skip
ALL = Window(0, START_MS + 86_400_000)


@pytest.fixture
def build(store: Store, receiver: Receiver) -> Callable[..., Evaluator]:
    def build(**changes) -> Evaluator:
        settings = {
            "slo_window_s": 3_600,
            "settle_s": SETTLE_S,
            "interval_s": STEP_MS / 1000,
            "webhooks": [receiver.url],
            "webhook_timeout_s": 30.0,
            "diagnosis_s": 120.0,
        }
        return build_evaluator(store, **{**settings, **changes})

    return build


def slow_database(store: Store, per_s: int = 10) -> int:
    """Ten minutes of traffic; minute 4 has a slow database. Returns when it broke."""
    broke_ms = START_MS + 4 * MINUTE_MS
    put_requests(store, start_ms=START_MS, span_ms=4 * MINUTE_MS, n=240 * per_s, db_ns=3_000_000)
    put_requests(
        store, start_ms=broke_ms, span_ms=MINUTE_MS, n=60 * per_s, wall_ms=700, db_ns=660_000_000
    )
    mended_ms = broke_ms + MINUTE_MS
    put_requests(store, start_ms=mended_ms, span_ms=5 * MINUTE_MS, n=300 * per_s, db_ns=3_000_000)
    return broke_ms


def walk(
    evaluator: Evaluator, from_ms: int, to_ms: int, step_ms: int = STEP_MS
) -> list[tuple[int, str, str]]:
    """Evaluate and deliver every `step_ms`: (when, rule, state) of what changed and was told."""
    seen = []
    for now_ms in range(from_ms, to_ms, step_ms):
        result = evaluator.evaluate_once(now_ms)
        assert result.failures == ()
        seen += [
            (now_ms, alert.rule, alert.state)
            for alert in result.changed
            if not alert.details.get("eased")
        ]
        evaluator.deliver_once(now_ms)
    return seen


def test_a_slow_database_pages_once_and_resolves(
    store: Store, build: Callable[..., Evaluator], receiver: Receiver
) -> None:
    broke_ms = slow_database(store)
    seen = walk(build(), START_MS + 3 * MINUTE_MS, START_MS + 8 * MINUTE_MS)
    assert [(rule, state) for _, rule, state in seen] == [
        ("feed-latency", "firing"),
        ("feed-latency", "resolved"),
    ]
    fired_ms, resolved_ms = seen[0][0], seen[1][0]
    assert broke_ms < fired_ms <= broke_ms + 3 * STEP_MS
    assert broke_ms + MINUTE_MS < resolved_ms <= broke_ms + 3 * MINUTE_MS
    assert receiver.states() == ["firing", "resolved"]
    firing, resolved = receiver.taken
    assert firing["id"] == resolved["id"] and firing["severity"] == "page"
    assert firing["labels"]["endpoint"] == FEED and "database" in firing["summary"]
    assert receiver.headers[0]["X-Dynoscope-Notification"] == firing["notification_id"]


def test_a_page_does_not_wait_for_a_comparison_of_releases(
    store: Store, build: Callable[..., Evaluator], receiver: Receiver
) -> None:
    broke_ms = slow_database(store)
    evaluator, open_then = build(), []

    def compare(*_: object) -> Answer[Comparison]:
        open_then.append(len(open_alerts(store)))
        raise StoreError("it took too long")

    both = [LiveRelease("r1", 1, broke_ms), LiveRelease("r2", 2, broke_ms)]
    evaluator.checker.costs = CostWatch(lambda service, to_ms: both, compare)
    result = evaluator.evaluate_once(broke_ms + 15_000)
    assert open_then == [1]
    assert [alert.rule for alert in result.changed] == ["feed-latency"]
    assert [rule for rule, _ in result.failures] == ["cost-between-releases"]


def test_the_answers_tell_the_same(
    store: Store, build: Callable[..., Evaluator], receiver: Receiver
) -> None:
    broke_ms = slow_database(store)
    evaluator = build()
    walk(evaluator, broke_ms, broke_ms + 30_000)
    (alert,) = alerts(store, ALL).data
    assert (alert.rule, alert.state, alert.ended_ms) == ("feed-latency", "firing", 0)
    assert alert.payload == receiver.taken[0]
    assert alert.delivered_ms >= alert.started_ms
    burning = slos(store, ALL).data[0]
    assert (burning.slo, burning.endpoint, burning.state) == ("feed-latency", FEED, "burning")
    # written every 15 s, the last time 15 s after it broke, as of SETTLE_S before
    assert burning.total == 2_400 + 10 * 13 and burning.good == "within 500 ms"
    assert burning.sli == pytest.approx(1 - burning.bad / burning.total)
    assert burning.budget_left == pytest.approx(1 - burning.bad / burning.total / 0.01)
    assert burning.burn_rate == pytest.approx(100)
    assert {state.slo: state.state for state in slos(store, ALL).data} == {
        "feed-latency": "burning",
        "upload-success": "no data",
        "crash-rate": "ok",
        "availability": "ok",
        "availability-edge": "no data",
    }
    walk(evaluator, broke_ms + 30_000, START_MS + 10 * MINUTE_MS, 3 * STEP_MS)
    (alert,) = alerts(store, ALL).data
    assert alert.state == "resolved" and alert.ended_ms > alert.started_ms
    assert alerts(store, ALL, "firing").data == ()
    assert alerts(store, Window(alert.ended_ms + 1, ALL.to_ms)).data == ()
    before = alerts(store, Window(0, broke_ms + 30_000), "firing").data
    assert [one.id for one in before] == [alert.id]
    with pytest.raises(BadQuestion):
        alerts(store, ALL, "burning")


def test_a_restart_in_the_middle_pages_no_second_time(
    store: Store, build: Callable[..., Evaluator], receiver: Receiver
) -> None:
    slow_database(store)
    seen = []
    for now_ms in range(START_MS + 3 * MINUTE_MS, START_MS + 10 * MINUTE_MS, 2 * STEP_MS):
        seen += walk(build(), now_ms, now_ms + 1)
    # Started anew at each step, an evaluator waits `keep_firing` from its own start on.
    assert [state for _, _, state in seen] == ["firing"]
    last_ms = START_MS + 10 * MINUTE_MS
    seen += walk(build(), last_ms, last_ms + 15_000)
    assert [state for _, _, state in seen] == ["firing", "resolved"]
    assert receiver.states() == ["firing", "resolved"]


def test_an_hour_of_noise_at_the_objective_pages_nobody(
    store: Store, build: Callable[..., Evaluator], receiver: Receiver
) -> None:
    """1% slow, 0.1% crash, 0.01% fail, at random: exactly what the objectives allow."""
    rng = np.random.default_rng(11)
    n = 36_000
    put_requests(
        store,
        start_ms=START_MS,
        span_ms=60 * MINUTE_MS,
        n=n,
        wall_ms=np.where(rng.random(n) < 0.01, 700, 40),
        outcome=np.where(rng.random(n) < 0.001, "error", "ok"),
        status=np.where(rng.random(n) < 0.0001, 503, 200),
    )
    evaluator = build()
    for now_ms in range(START_MS, START_MS + 60 * MINUTE_MS, 8 * STEP_MS):
        result = evaluator.evaluate_once(now_ms)
        assert [a for a in result.changed if a.severity == "page"] == []
        assert result.failures == ()
    state = next(one for one in slos(store, ALL).data if one.slo == "feed-latency")
    assert 0.008 < 1 - state.sli < 0.012


def test_data_that_stops_is_no_recovery(
    store: Store, build: Callable[..., Evaluator], receiver: Receiver
) -> None:
    put_requests(store, start_ms=START_MS, span_ms=MINUTE_MS, n=600, wall_ms=700)
    evaluator = build(stale_s=30)
    seen = walk(evaluator, START_MS + MINUTE_MS, START_MS + 8 * MINUTE_MS, 2 * STEP_MS)
    assert [state for _, _, state in seen] == ["firing"]
    state = next(one for one in slos(store, ALL).data if one.slo == "feed-latency")
    assert state.state == "no data"


def test_states_are_written_at_most_every_15_s(
    store: Store, build: Callable[..., Evaluator]
) -> None:
    put_requests(store, start_ms=START_MS, span_ms=2 * MINUTE_MS, n=1_200)
    walk(build(), START_MS + MINUTE_MS, START_MS + 2 * MINUTE_MS)
    rows = store.query("slo_states", from_ms=0, to_ms=ALL.to_ms, limit=1_000).to_pylist()
    assert {row["service"] for row in rows} == {SERVICE, ""}
    written = store._engine.select(
        "SELECT count() AS n FROM metrics WHERE source = 'slo' AND name = 'slo_total' "
        "AND has(labels, 'slo=feed-latency')",
        {},
    )
    assert written["n"].to_pylist() == [4]


def test_a_broken_rule_file_keeps_the_rules_and_raises_an_alert(
    store: Store, build: Callable[..., Evaluator], receiver: Receiver, tmp_path: Path
) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("slos:\n  - {name: mine, objective: 99%, good: no crash}\n")
    evaluator = build(rules_dir=tmp_path, bundled=False)
    assert walk(evaluator, START_MS, START_MS + STEP_MS) == []
    good = file.read_text()
    rewrite(file, "slos:\n  - {name: mine}\n")
    assert walk(evaluator, START_MS + STEP_MS, START_MS + 2 * STEP_MS) == [
        (START_MS + STEP_MS, "rule-file-broken", "firing")
    ]
    assert f"{file}:2: slos.0: Field required: objective" in receiver.taken[0]["summary"]
    assert evaluator.status().rules == 1 and f"{file}:2" in evaluator.status().problems[0]
    rewrite(file, good)
    ((_, rule, state),) = walk(evaluator, START_MS + 2 * STEP_MS, START_MS + 3 * STEP_MS)
    assert (rule, state) == ("rule-file-broken", "resolved")


def test_a_rule_that_fails_stops_no_other_and_is_seen(
    store: Store, build: Callable[..., Evaluator], receiver: Receiver
) -> None:
    broke_ms = slow_database(store)
    evaluator = build()

    def refuse(*_: object) -> list[LiveRelease]:
        raise StoreError("the store is on fire")

    evaluator.checker.costs.releases_of = refuse
    fired: list[str] = []
    for now_ms in range(broke_ms, broke_ms + 6 * STEP_MS, STEP_MS):
        result = evaluator.evaluate_once(now_ms)
        assert [rule for rule, _ in result.failures] == ["cost-between-releases"]
        fired += [alert.rule for alert in result.changed]
    assert fired == ["rule-failed", "feed-latency"] or fired == ["feed-latency", "rule-failed"]
    assert "on fire" in evaluator.status().failures[0][1]
    rows = store._engine.select("SELECT what, count() AS n FROM limits GROUP BY what", {})
    assert rows.to_pylist() == [{"what": "rule failed: cost-between-releases", "n": 6}]


def test_rows_that_are_no_alerts_and_no_slos_break_nothing(
    store: Store, build: Callable[..., Evaluator], receiver: Receiver
) -> None:
    """Whoever may ingest can write these tables."""
    broke_ms = slow_database(store)
    for i, text in enumerate(("", "[]", "7", '{"id": 1}', "null", FORGED)):
        for state in ("firing", "delivered"):
            rows = alert_rows(f"x{i}", state, ts_ms=broke_ms - 60_000, json=text)
            store.insert("alert_events", rows, f"forged-{i}-{state}")
    for i, labels in enumerate((["slo"], ["slo=x"], ["slo=x", "window_s=y", "state=", "good="])):
        rows = metric_rows("slo_total", [1], start_ms=broke_ms, source="slo", labels=labels)
        store.insert("metrics", rows, f"forged-slo-{i}")
    evaluator = build()
    result = evaluator.evaluate_once(broke_ms + 10_000)
    evaluator.deliver_once(broke_ms + 10_000)
    assert [alert.rule for alert in result.changed] == ["feed-latency"]
    assert result.failures == (("stored-alerts", "6 stored alerts cannot be read"),)
    assert [payload["rule"] for payload in receiver.taken] == ["feed-latency"]
    answer = alerts(store, ALL)
    assert [alert.rule for alert in answer.data][0] == "feed-latency"
    assert answer.limits[0].count >= 10
    assert {one.slo for one in slos(store, ALL).data} == {
        "feed-latency",
        "upload-success",
        "crash-rate",
        "availability",
        "availability-edge",
    }


def test_it_runs_by_the_clock_and_a_receiver_that_hangs_holds_back_no_evaluation(
    store: Store, build: Callable[..., Evaluator], receiver: Receiver
) -> None:
    now_ms = int(time.time() * 1000)
    day_ms = now_ms // 86_400_000 * 86_400_000
    start_ms = max(day_ms, now_ms - 60_000)
    if now_ms - start_ms < 10_000:  # within ten seconds past midnight, use the day before
        start_ms, now_ms = day_ms - 60_000, day_ms - 1
    put_requests(store, start_ms=start_ms, span_ms=now_ms - start_ms, n=600, wall_ms=700)
    receiver.answers = ["hang"]
    began_s = time.time()
    evaluator = build(
        interval_s=0.1,
        settle_s=0,
        webhook_timeout_s=30,
        clock=lambda: now_ms / 1000 + time.time() - began_s,
    )
    stop = threading.Event()
    thread = threading.Thread(target=evaluator.run, args=(stop,))
    thread.start()
    try:
        until(lambda: len(receiver.got) == 1)
        before = evaluator.status().last_ms
        until(lambda: evaluator.status().last_ms >= before + 300)
        assert receiver.taken == []
        receiver.release.set()
        until(lambda: receiver.states() == ["firing"])
    finally:
        receiver.release.set()
        stop.set()
        thread.join()
    assert evaluator.status().error == ""


def test_a_thread_that_fails_goes_on(store: Store, build: Callable[..., Evaluator]) -> None:
    evaluator = build(interval_s=0.05, webhooks=[])
    told: list[str] = []

    class Flaky(RuleBook):
        def refresh(self) -> Rules:
            told.append(evaluator.status().error)
            if len(told) == 1:
                raise OSError("no such disk")
            return super().refresh()

    evaluator.rulebook = Flaky([BUNDLED_DIR])
    stop = threading.Event()
    thread = threading.Thread(target=evaluator.run, args=(stop,))
    thread.start()
    try:
        until(lambda: evaluator.status().last_ms > 0)
    finally:
        stop.set()
        thread.join()
    assert told[:2] == ["", "evaluation: OSError: no such disk"]
    assert evaluator.status().error == ""


def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "not within the time limit"
        time.sleep(0.01)


def rewrite(file: Path, text: str) -> None:
    later = file.stat().st_mtime_ns + 10**9
    file.write_text(text)
    os.utime(file, ns=(later, later))
