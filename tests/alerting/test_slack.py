"""What Slack gets, over HTTP."""

from alerting.slack import Slack
from tests.alerting.conftest import Receiver
from tests.alerting.payloads import firing, resolved


def test_one_message_for_the_alerts_of_a_rule(receiver: Receiver) -> None:
    hook = Slack(receiver.url)
    outcome = hook.send([firing(), firing(id="a2")])
    assert outcome.delivered and "swordfish" not in hook.target
    (message,) = receiver.got
    assert message["text"] == "[firing] feed-latency (2 alerts)"
    assert [one["color"] for one in message["attachments"]] == ["#c92a2a"] * 2
    first = message["attachments"][0]
    assert "|endpoint>" in first["text"] and firing()["notification_id"] in first["footer"]


def test_foreign_text_mentions_nobody(receiver: Receiver) -> None:
    Slack(receiver.url).send([resolved()])
    (attachment,) = receiver.got[0]["attachments"]
    assert "It breaks &lt;!channel&gt; &amp; more." in attachment["text"]
    assert attachment["color"] == "#2b8a3e"


def test_too_many_are_counted(receiver: Receiver) -> None:
    Slack(receiver.url).send([firing(id=f"a{i}") for i in range(25)])
    assert receiver.got[0]["attachments"][-1]["text"] == "and 5 more"


def test_a_refusal_says_when_to_come_again(receiver: Receiver) -> None:
    receiver.answers = [(429, 7)]
    outcome = Slack(receiver.url).send([firing()])
    assert (outcome.delivered, outcome.retry_after_s) == (False, 7)
