"""Events API v2, as its documentation describes it, over HTTP."""

from alerting.pagerduty import PagerDuty
from tests.alerting.conftest import Receiver
from tests.alerting.payloads import firing, resolved


def test_trigger_and_resolve_share_their_key(receiver: Receiver) -> None:
    hook = PagerDuty("k3y", url=receiver.url)
    assert hook.send([firing()]).delivered and hook.send([resolved()]).delivered
    trigger, resolve = receiver.got
    assert (trigger["event_action"], resolve["event_action"]) == ("trigger", "resolve")
    assert trigger["dedup_key"] == resolve["dedup_key"] == "a1"
    assert trigger["routing_key"] == "k3y"
    # what the API requires of a trigger
    assert trigger["payload"].keys() >= {"summary", "source", "severity"}
    assert trigger["payload"]["severity"] == "critical" and trigger["payload"]["source"] == "shop"
    assert trigger["payload"]["timestamp"] == firing()["started_at"]
    assert trigger["links"][0]["text"] == "endpoint"
    assert "k3y" not in repr(hook) + hook.target


def test_what_is_refused_is_not_worth_repeating_and_what_is_throttled_is(
    receiver: Receiver,
) -> None:
    receiver.answers = [400, 429]
    hook = PagerDuty("k3y", url=receiver.url)
    assert [hook.send([firing()]).final for _ in range(2)] == [True, False]


def test_a_long_summary_is_cut(receiver: Receiver) -> None:
    PagerDuty("k", url=receiver.url).send([firing(summary="x" * 5_000)])
    assert len(receiver.got[0]["payload"]["summary"]) == 1_024
