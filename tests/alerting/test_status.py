"""How alerting itself fares: told to the store, to pages, and to a dead man's switch."""

import pytest

from alerting.build import build_evaluator
from alerting.errors import AlertingError
from alerting.evaluator import STATUS_EVERY_MS
from alerting.heartbeat import Heartbeat
from collector.answers.health import health
from collector.answers.records import Window
from collector.store.store import Store
from tests.alerting.conftest import Receiver
from tests.alerting.payloads import NOW_MS


def test_the_status_is_told_when_it_changes_and_every_minute(stored: Store) -> None:
    evaluator = build_evaluator(stored, bundled=False, instance="told")
    for second in (0, 10, 20, 61):
        evaluator.evaluate_once(NOW_MS + second * 1_000)
        evaluator.write_status(NOW_MS + second * 1_000)
    rows = stored._engine.select(
        "SELECT ts_ms FROM evaluator_events WHERE id = 'told' ORDER BY ts_ms", {}
    )
    assert [ms - NOW_MS for ms in rows["ts_ms"].to_pylist()] == [0, 61_000]
    evaluator._errors["evaluation"] = "evaluation: StoreError: on fire"
    evaluator.write_status(NOW_MS + 62_000)
    found = health(stored, Window(NOW_MS, NOW_MS + 70_000)).data.alerting
    (one,) = [one for one in found if one.evaluator == "told"]
    assert (one.told_ms, one.is_late) == (NOW_MS + 62_000, False)
    assert one.problems == ("evaluation: StoreError: on fire",)
    late = health(stored, Window(NOW_MS, NOW_MS + 62_000 + 4 * STATUS_EVERY_MS)).data.alerting
    assert [one.is_late for one in late if one.evaluator == "told"] == [True]


def test_the_switch_hears_nothing_when_nothing_is_evaluated(
    stored: Store, receiver: Receiver
) -> None:
    evaluator = build_evaluator(stored, bundled=False, interval_s=15)
    evaluator.heartbeat = Heartbeat(receiver.url, timeout_s=20)
    evaluator.beat_once(NOW_MS)
    assert receiver.got == []
    evaluator.evaluate_once(NOW_MS)
    evaluator.beat_once(NOW_MS + 60_000)
    assert [beat["ts_ms"] for beat in receiver.got] == [NOW_MS + 60_000]
    evaluator.beat_once(NOW_MS + 60_001)
    evaluator._errors["evaluation"] = "on fire"
    evaluator.beat_once(NOW_MS + 1_000)
    assert len(receiver.got) == 1


def test_a_switch_that_is_away_is_told_of(receiver: Receiver) -> None:
    receiver.answers = [500]
    with pytest.raises(AlertingError, match="no heartbeat: .* answered 500"):
        Heartbeat(receiver.url, timeout_s=20).beat(NOW_MS)
    assert "swordfish" not in str(Heartbeat("http://127.0.0.1:1/x").url)
