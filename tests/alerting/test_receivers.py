"""One attempt at a time against real receivers."""

import pytest

from alerting.errors import BadReceiver
from alerting.receivers import Webhook, webhook_of
from tests.alerting.conftest import Receiver

PAYLOAD = {"notification_id": "n1", "state": "firing", "labels": {}}


def test_a_delivery_carries_its_id(receiver: Receiver) -> None:
    outcome = Webhook(receiver.url).send([PAYLOAD])
    assert outcome.delivered
    assert receiver.taken == [PAYLOAD]
    assert receiver.headers[0]["Idempotency-Key"] == "n1"
    assert receiver.headers[0]["X-Dynoscope-Notification"] == "n1"


@pytest.mark.parametrize(
    ("answer", "retry_after_s"),
    [(503, 0), (404, 0), (302, 0), ((429, 7), 7), ((503, "soon"), 0), ((503, 10**9), 600)],
)
def test_whatever_is_no_success_is_a_failure(
    receiver: Receiver, answer: object, retry_after_s: float
) -> None:
    receiver.answers = [answer]
    outcome = Webhook(receiver.url).send([PAYLOAD])
    assert (outcome.delivered, outcome.retry_after_s) == (False, retry_after_s)
    assert "answered" in outcome.reason


def test_a_receiver_that_hangs_is_given_up(receiver: Receiver) -> None:
    receiver.answers = ["hang"]
    outcome = Webhook(receiver.url, timeout_s=0.1).send([PAYLOAD])
    assert not outcome.delivered and "within 0.1 s" in outcome.reason


def test_a_receiver_that_is_not_there_is_a_failure() -> None:
    outcome = webhook_of("http://127.0.0.1:1/", timeout_s=0.5).send([PAYLOAD])
    assert not outcome.delivered and "not reached" in outcome.reason


@pytest.mark.parametrize(
    "url", ["", "nonsense", "http://", "http://[::1", "ftp://a/", "http://a:b/"]
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(BadReceiver, match="write http://HOST:PORT/PATH"):
        webhook_of(url, timeout_s=1)


def test_the_name_of_a_receiver_holds_no_secret(receiver: Receiver) -> None:
    receiver.answers = [500]
    hook = Webhook(receiver.url)
    assert "swordfish" not in hook.target + hook.send([PAYLOAD]).reason
    assert hook.target != Webhook(receiver.url + "2").target
