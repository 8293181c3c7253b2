"""Every notification arrives, once, whatever the receiver does and whoever restarts."""

from dataclasses import replace

import pytest

from alerting.alerts import Alert
from alerting.courier import GIVE_UP_MS, Courier
from alerting.journal import record_acknowledged, record_alert, record_silence
from alerting.receivers import Webhook
from alerting.silences import Silence
from collector.store.alert_reads import alert_events
from collector.store.errors import StoreError
from collector.store.store import Store
from tests.alerting.conftest import Receiver

NOW_MS = 1_790_337_600_000
FIRING = Alert("a1", "r", "firing", "page", {"service": "shop"}, "It breaks.", NOW_MS, 0, {}, {})
RESOLVED = replace(FIRING, state="resolved", ended_ms=NOW_MS + 60_000, summary="Resolved.")


def courier_of(store: Store, *receivers: Receiver, timeout_s: float = 20.0) -> Courier:
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
    courier = courier_of(store, receiver, timeout_s=2.0)
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


def test_what_is_over_for_a_day_is_given_up_and_not_sooner(
    store: Store, receiver: Receiver
) -> None:
    record_alert(store, FIRING, NOW_MS)
    record_alert(store, RESOLVED, NOW_MS)
    assert courier_of(store, receiver).deliver_once(NOW_MS + GIVE_UP_MS + 1) == 0
    assert receiver.got == []
    assert courier_of(store, receiver).deliver_once(NOW_MS + GIVE_UP_MS) == 0
    assert receiver.states() == ["firing", "resolved"]


def test_what_fires_for_days_is_repeated_until_it_is_acknowledged_or_over(
    store: Store, receiver: Receiver
) -> None:
    record_alert(store, FIRING, NOW_MS)
    hour_ms = 3_600_000
    courier = courier_of(store, receiver)
    for hour in range(40):
        assert courier.deliver_once(NOW_MS + hour * hour_ms) == 0
    assert [bool(payload.get("repeat")) for payload in receiver.taken] == [False] + [True] * 9
    assert len({payload["notification_id"] for payload in receiver.taken}) == 1
    again = courier_of(store, receiver)  # a restart does not repeat before its time
    again.deliver_once(NOW_MS + 39 * hour_ms)
    assert len(receiver.taken) == 10
    record_acknowledged(store, receiver.taken[0], "ann", "looking", NOW_MS + 39 * hour_ms)
    again.deliver_once(NOW_MS + 44 * hour_ms)
    assert len(receiver.taken) == 10
    record_alert(store, RESOLVED, NOW_MS + 45 * hour_ms)
    again.deliver_once(NOW_MS + 45 * hour_ms)
    assert receiver.states()[10:] == ["resolved"]


def test_that_a_page_eased_is_told_to_nobody(store: Store, receiver: Receiver) -> None:
    record_alert(store, FIRING, NOW_MS)
    record_alert(store, replace(FIRING, severity="ticket", details={"eased": True}), NOW_MS + 1)
    courier = courier_of(store, receiver)
    assert courier.deliver_once(NOW_MS + 2) == 0
    assert [payload["severity"] for payload in receiver.taken] == ["page"]
    record_alert(store, replace(FIRING, started_ms=NOW_MS + 5), NOW_MS + 5)
    assert courier.deliver_once(NOW_MS + 6) == 0
    assert [payload["severity"] for payload in receiver.taken] == ["page", "page"]


def silence(store: Store, until_ms: int, **matchers: str) -> Silence:
    one = Silence("s1", matchers, NOW_MS - 1, until_ms, "ann", "we know")
    record_silence(store, one, "active", NOW_MS - 1)
    return one


def test_a_silenced_alert_is_held_back_and_sent_when_the_silence_ends(
    store: Store, receiver: Receiver
) -> None:
    silence(store, NOW_MS + 60_000, service="sh.*")
    record_alert(store, FIRING, NOW_MS)
    courier = courier_of(store, receiver)
    assert [courier.deliver_once(NOW_MS + s * 1_000) for s in (0, 30, 59)] == [0, 0, 0]
    assert receiver.got == []
    ((state, reason),) = events(store, "silenced")
    assert state == "silenced" and "we know" in reason
    assert courier.deliver_once(NOW_MS + 60_000) == 0
    assert receiver.states() == ["firing"]


def test_what_began_and_ended_in_silence_is_never_sent(store: Store, receiver: Receiver) -> None:
    silence(store, NOW_MS + 90_000, rule="r", service="shop")
    record_alert(store, replace(FIRING, labels={"service": "shop", "rule": "r"}), NOW_MS)
    courier = courier_of(store, receiver)
    courier.deliver_once(NOW_MS)
    over = replace(RESOLVED, labels={"service": "shop", "rule": "r"})
    record_alert(store, over, NOW_MS + 60_000)
    assert [courier.deliver_once(NOW_MS + s * 1_000) for s in (60, 95)] == [0, 0]
    assert receiver.got == []


def test_a_silence_for_others_or_one_that_was_ended_holds_nothing_back(
    store: Store, receiver: Receiver
) -> None:
    silence(store, NOW_MS + 60_000, service="other")
    one = silence(store, NOW_MS + 60_000, service="shop")
    record_silence(store, replace(one, ends_ms=NOW_MS), "ended", NOW_MS)
    record_alert(store, FIRING, NOW_MS)
    assert courier_of(store, receiver).deliver_once(NOW_MS + 1) == 0
    assert receiver.states() == ["firing"]


def test_the_end_of_an_alert_that_was_delivered_is_told_in_silence_too(
    store: Store, receiver: Receiver
) -> None:
    record_alert(store, FIRING, NOW_MS)
    courier = courier_of(store, receiver)
    courier.deliver_once(NOW_MS)
    silence(store, NOW_MS + 120_000, service="shop")
    record_alert(store, RESOLVED, NOW_MS + 60_000)
    courier.deliver_once(NOW_MS + 60_000)
    assert receiver.states() == ["firing", "resolved"]


def test_the_second_evaluator_sends_only_what_the_first_did_not_within_the_grace(
    store: Store, receiver: Receiver
) -> None:
    hook = Webhook(receiver.url, 20)
    first, second = (Courier(store, [hook], name, grace_s=25) for name in ("a", "b"))
    record_alert(store, FIRING, NOW_MS, by="a")
    assert second.deliver_once(NOW_MS) == 1
    assert (receiver.got, second.next_due_ms()) == ([], NOW_MS + 25_000)
    assert first.deliver_once(NOW_MS + 1_000) == 0
    assert second.deliver_once(NOW_MS + 30_000) == 0
    assert receiver.states() == ["firing"]
    record_alert(store, RESOLVED, NOW_MS + 60_000, by="a")  # and a dies
    assert second.deliver_once(NOW_MS + 84_999) == 1
    assert second.deliver_once(NOW_MS + 85_000) == 0
    assert receiver.states() == ["firing", "resolved"]
    assert first.deliver_once(NOW_MS + 86_000) == 0
    assert len(receiver.got) == 2


def test_what_another_delivered_a_little_later_by_its_clock_is_not_sent_again(
    store: Store, receiver: Receiver
) -> None:
    hook = Webhook(receiver.url, 20)
    slow, right = (Courier(store, [hook], name, grace_s=25) for name in ("a", "b"))
    record_alert(store, FIRING, NOW_MS, by="b")
    assert right.deliver_once(NOW_MS + 27_000) == 0
    assert slow.deliver_once(NOW_MS + 26_000) == 0
    assert len(receiver.got) == 1


def test_two_that_see_the_same_at_once_send_one_page(store: Store, receiver: Receiver) -> None:
    hook = Webhook(receiver.url, 20)
    first, second = (Courier(store, [hook], name, grace_s=25) for name in ("a", "b"))
    record_alert(store, FIRING, NOW_MS, by="a")
    record_alert(store, replace(FIRING, started_ms=NOW_MS + 3), NOW_MS + 3, by="b")
    for one in (second, first, second):
        one.deliver_once(NOW_MS + 40)
    assert len(receiver.got) == 1


def test_alerts_of_one_rule_go_in_one_message_where_that_is_asked_for(
    store: Store, receiver: Receiver
) -> None:
    for i in range(3):
        record_alert(store, replace(FIRING, id=f"a{i}", labels={"host": f"web-{i}"}), NOW_MS)
    record_alert(store, replace(FIRING, id="b", rule="other", labels={"host": "x"}), NOW_MS)
    courier = Courier(store, [Webhook(receiver.url, 20, is_grouped=True)])
    assert courier.deliver_once(NOW_MS) == 0
    assert sorted((one["rule"], len(one["alerts"])) for one in receiver.got) == [
        ("other", 1),
        ("r", 3),
    ]
    assert courier.deliver_once(NOW_MS + 1) == 0
    assert len(receiver.got) == 2 and len(events(store, "delivered")) == 4


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
