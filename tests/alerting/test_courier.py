"""Every notification arrives, once, whatever the receiver does and whoever restarts."""

from dataclasses import replace

import pytest

from alerting.alerts import Alert
from alerting.courier import GIVE_UP_MS, Courier
from alerting.journal import record_alert
from alerting.notify import Webhook
from collector.store.alert_reads import alert_events
from collector.store.errors import StoreError
from collector.store.store import Store
from tests.alerting.conftest import Receiver

NOW_MS = 1_790_337_600_000
FIRING = Alert("a1", "r", "firing", "page", {"service": "shop"}, "It breaks.", NOW_MS, 0, {}, {})
RESOLVED = replace(FIRING, state="resolved", ended_ms=NOW_MS + 60_000, summary="Resolved.")


def courier_of(store: Store, *receivers: Receiver, timeout_s: float = 0.2) -> Courier:
    return Courier(store, [Webhook(one.url, timeout_s) for one in receivers])


def events(store: Store, *states: str) -> list[tuple[str, str]]:
    found = alert_events(store, from_ms=0, to_ms=2 * NOW_MS, states=states, limit=100)
    return [(event.state, event.reason) for event in reversed(found)]


def test_firing_then_resolved_each_once(store: Store, receiver: Receiver) -> None:
    courier = courier_of(store, receiver)
    record_alert(store, FIRING, NOW_MS)
    record_alert(store, FIRING, NOW_MS)  # a repeated insert is one event
    assert [courier.deliver_once(NOW_MS + i) for i in (1, 2)] == [0, 0]
    record_alert(store, RESOLVED, NOW_MS + 60_000)
    assert [courier.deliver_once(NOW_MS + 60_000 + i) for i in (1, 2)] == [0, 0]
    assert receiver.states() == ["firing", "resolved"]
    assert len({payload["notification_id"] for payload in receiver.got}) == 2
    assert [state for state, _ in events(store, "delivered", "failed")] == ["delivered"] * 2


def test_failures_are_tried_again_with_back_off_and_recorded(
    store: Store, receiver: Receiver
) -> None:
    receiver.answers = [500, "hang", (429, 30), 302]
    courier = courier_of(store, receiver)
    record_alert(store, FIRING, NOW_MS)
    tried = []
    for second in range(60):
        before = len(receiver.got)
        courier.deliver_once(NOW_MS + second * 1_000)
        tried += [second] * (len(receiver.got) - before)
    assert tried == [0, 1, 3, 33, 41]
    assert receiver.states() == ["firing"]
    assert courier.next_due_ms() is None
    assert [state for state, _ in events(store, "delivered", "failed")] == [
        *["failed"] * 4,
        "delivered",
    ]
    assert "(attempt 5)" in events(store, "delivered")[0][1]
    assert len({payload["notification_id"] for payload in receiver.got}) == 1


def test_what_was_not_delivered_is_sent_after_a_restart(store: Store, receiver: Receiver) -> None:
    receiver.answers = [500]
    record_alert(store, FIRING, NOW_MS)
    assert courier_of(store, receiver).deliver_once(NOW_MS) == 1
    record_alert(store, RESOLVED, NOW_MS + 60_000)
    again = courier_of(store, receiver)
    assert again.deliver_once(NOW_MS + 60_001) == 0
    assert receiver.states() == ["firing", "resolved"]
    assert courier_of(store, receiver).deliver_once(NOW_MS + 60_002) == 0
    assert len(receiver.taken) == 2


def test_each_receiver_gets_it_whatever_the_other_does(store: Store, receiver: Receiver) -> None:
    dead = Webhook("http://127.0.0.1:1/", 0.2)
    courier = Courier(store, [dead, Webhook(receiver.url)])
    record_alert(store, FIRING, NOW_MS)
    assert courier.deliver_once(NOW_MS) == 1
    assert receiver.states() == ["firing"]
    assert courier.next_due_ms() == NOW_MS + 1_000


def test_what_is_a_day_old_is_given_up_and_not_sooner(store: Store, receiver: Receiver) -> None:
    record_alert(store, FIRING, NOW_MS)
    assert courier_of(store, receiver).deliver_once(NOW_MS + GIVE_UP_MS + 1) == 0
    assert receiver.got == []
    assert courier_of(store, receiver).deliver_once(NOW_MS + GIVE_UP_MS) == 0
    assert receiver.states() == ["firing"]


def test_without_receivers_nothing_waits(store: Store) -> None:
    record_alert(store, FIRING, NOW_MS)
    assert Courier(store, []).deliver_once(NOW_MS) == 0


def test_it_is_not_sent_again_when_only_its_record_failed(
    store: Store, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_alert(store, FIRING, NOW_MS)
    courier = courier_of(store, receiver)
    with monkeypatch.context() as patch:

        def full(*_: object) -> None:
            raise StoreError("the disk is full")

        patch.setattr(Store, "insert", full)
        with pytest.raises(StoreError):
            courier.deliver_once(NOW_MS)
    assert courier.deliver_once(NOW_MS + 2_000) == 0
    assert receiver.states() == ["firing"]
    assert [state for state, _ in events(store, "delivered")] == ["delivered"]
