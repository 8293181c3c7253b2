"""The file of receivers: secrets from files, mistakes with their line."""

from pathlib import Path

import pytest

from alerting.alertmanager import Alertmanager
from alerting.errors import BadReceiver
from alerting.heartbeat import Heartbeat
from alerting.mail import Mail
from alerting.pagerduty import PagerDuty
from alerting.receiver_files import read_receivers
from alerting.receivers import Webhook
from alerting.slack import Slack

TEXT = """\
receivers:
  - {kind: webhook, url: "http://127.0.0.1:8710/", repeat: 1h, grouped: true}
  - {kind: slack, url_file: DIR/slack.url}
  - {kind: pagerduty, routing_key_file: DIR/pagerduty.key}
  - {kind: mail, host: mail.example.org, from: a@example.org, to: [b@example.org], tls: tls,
     user: me, password_file: DIR/password}
  - {kind: alertmanager, url: "http://127.0.0.1:9093", refresh: 30s}
heartbeat: {url: "http://127.0.0.1:1/beat", every: 30s}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "slack.url").write_text("https://hooks.example.org/x\n")
    (tmp_path / "pagerduty.key").write_text("k3y\n")
    (tmp_path / "password").write_text("swordfish\n")
    file = tmp_path / "receivers.yaml"
    file.write_text(TEXT.replace("DIR", str(tmp_path)))
    return file


def test_every_kind_of_receiver(file: Path) -> None:
    known = read_receivers(file)
    webhook, slack, pagerduty, mail, alertmanager = known.receivers
    assert webhook == Webhook("http://127.0.0.1:8710/", 5.0, 3_600, True)
    assert slack == Slack("https://hooks.example.org/x")
    assert pagerduty == PagerDuty("k3y")
    assert isinstance(mail, Mail) and (mail.port, mail.password) == (465, "swordfish")
    assert isinstance(alertmanager, Alertmanager) and alertmanager.repeat_s == 30
    assert known.heartbeat == Heartbeat("http://127.0.0.1:1/beat", 30)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("kind: slack", "kind: pigeon", ":3: receivers.1.kind: "),
        ('url: "http://127.0.0.1:8710/"', "url: nonsense", ":2: receivers.0.webhook.url: "),
        ("slack.url", "nowhere", ":3: "),
        ("pagerduty.key", "nowhere", "nowhere cannot be read"),
        ("tls: tls", "tls: none", "a password is not sent in the open"),
        ("to: [b@example.org]", "to: [nobody]", ":5: "),
        ("repeat: 1h", "repeat: often", ":2: receivers.0.webhook.repeat: 'often'"),
        ("receivers:\n", "receivers: [\n", "not YAML"),
        ('alertmanager, url: "http://127.0.0.1:9093", refresh: 30s',
         'webhook, url: "http://127.0.0.1:8710/"', "is there twice"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence(file: Path, old: str, new: str, says: str) -> None:
    file.write_text(file.read_text().replace(old, new, 1))
    with pytest.raises(BadReceiver) as told:
        read_receivers(file)
    assert says in str(told.value), told.value


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadReceiver, match="cannot be read"):
        read_receivers(tmp_path / "none.yaml")
