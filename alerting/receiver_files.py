"""The file of receivers (`serve --receivers FILE`).

::

    receivers:
      - {kind: webhook, url: http://127.0.0.1:8710/, repeat: 4h, grouped: false}
      - {kind: slack, url_file: /etc/dynoscope/slack.url}
      - {kind: pagerduty, routing_key_file: /etc/dynoscope/pagerduty.key}
      - {kind: mail, host: mail.example.org, from: dynoscope@example.org, to: [oncall@example.org],
         tls: starttls, user: dynoscope, password_file: /etc/dynoscope/mail.password}
      - {kind: alertmanager, url: http://127.0.0.1:9093}
    heartbeat: {url: https://example.org/beat, every: 60s}
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BeforeValidator, Field, ValidationError, model_validator

from alerting.alertmanager import REFRESH_S, Alertmanager
from alerting.errors import BadReceiver
from alerting.heartbeat import Heartbeat
from alerting.mail import Mail
from alerting.pagerduty import EVENTS_URL, PagerDuty
from alerting.receivers import REPEAT_S, Receiver, Webhook
from alerting.rule_files import problems_of
from alerting.rule_words import Seconds, Strict
from alerting.sending import checked_url
from alerting.slack import Slack

__all__ = ["Receivers", "read_receivers"]


@dataclass(frozen=True, slots=True)
class Receivers:
    """Where notifications go, and the dead man's switch."""

    receivers: tuple[Receiver, ...] = ()
    heartbeat: Heartbeat | None = None


def read_receivers(file: Path, timeout_s: float = 5.0) -> Receivers:
    """Raises BadReceiver: file, line, what."""
    try:
        text = file.read_text("utf-8")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        document = _Document.model_validate(yaml.safe_load(text) or {})
        made = tuple(_receiver(form, timeout_s) for form in document.receivers)
    except (OSError, UnicodeDecodeError) as error:
        raise BadReceiver(f"{file}: cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise BadReceiver(f"{file}: not YAML: {error}") from error
    except ValidationError as error:
        raise BadReceiver(str(problems_of(str(file), node, error)[0])) from error
    twice = [one.target for one in made if [two.target for two in made].count(one.target) > 1]
    if twice:
        raise BadReceiver(f"{file}: the receiver {twice[0]} is there twice: take one away")
    beat = document.heartbeat
    return Receivers(made, Heartbeat(beat.url, beat.every, timeout_s) if beat else None)


def _url(value: Any) -> str:
    try:
        return checked_url(str(value))
    except BadReceiver as error:
        raise ValueError(str(error)) from error


Url = Annotated[str, BeforeValidator(_url)]


class _Http(Strict):
    url: Url | None = None
    url_file: Path | None = None

    @model_validator(mode="after")
    def _one_url(self) -> "_Http":
        if (self.url is None) == (self.url_file is None):
            raise ValueError("write one of `url` and `url_file`")
        if self.url_file is not None:
            self.url = _url(_secret(self.url_file))
        return self

    def address(self) -> str:
        assert self.url is not None
        return self.url


class _WebhookForm(_Http):
    kind: Literal["webhook"]
    repeat: Seconds = REPEAT_S
    grouped: bool = False


class _SlackForm(_Http):
    kind: Literal["slack"]
    repeat: Seconds = REPEAT_S


class _PagerDutyForm(Strict):
    kind: Literal["pagerduty"]
    routing_key_file: Path
    url: Url = EVENTS_URL
    repeat: Seconds = REPEAT_S


class _AlertmanagerForm(_Http):
    kind: Literal["alertmanager"]
    refresh: Seconds = REFRESH_S


class _MailForm(Strict):
    kind: Literal["mail"]
    host: str
    port: int | None = None
    sender: Annotated[str, Field(alias="from", pattern=r"^[^@\s]+@[^@\s]+$")]
    to: Annotated[list[Annotated[str, Field(pattern=r"^[^@\s,]+@[^@\s,]+$")]], Field(min_length=1)]
    tls: Literal["none", "starttls", "tls"] = "starttls"
    user: str = ""
    password_file: Path | None = None
    repeat: Seconds = REPEAT_S

    @model_validator(mode="after")
    def _no_open_password(self) -> "_MailForm":
        if self.user and self.tls == "none":
            raise ValueError("a password is not sent in the open: write tls: starttls or tls")
        return self


class _Beat(Strict):
    url: Url
    every: Seconds = 60.0


_Form = _WebhookForm | _SlackForm | _PagerDutyForm | _AlertmanagerForm | _MailForm


class _Document(Strict):
    receivers: list[Annotated[_Form, Field(discriminator="kind")]] = []
    heartbeat: _Beat | None = None


PORTS = {"none": 25, "starttls": 587, "tls": 465}


def _receiver(form: _Form, timeout_s: float) -> Receiver:
    if isinstance(form, _WebhookForm):
        return Webhook(form.address(), timeout_s, form.repeat, form.grouped)
    if isinstance(form, _SlackForm):
        return Slack(form.address(), timeout_s, form.repeat)
    if isinstance(form, _AlertmanagerForm):
        return Alertmanager(form.address(), timeout_s, form.refresh)
    if isinstance(form, _PagerDutyForm):
        return PagerDuty(_key(form.routing_key_file), form.url, timeout_s, form.repeat)
    return Mail(
        form.host,
        form.port or PORTS[form.tls],
        form.sender,
        tuple(form.to),
        form.tls,
        form.user,
        _key(form.password_file) if form.password_file else "",
        2 * timeout_s,
        form.repeat,
    )


def _key(file: Path) -> str:
    try:
        return _secret(file)
    except ValueError as error:
        raise BadReceiver(str(error)) from error


def _secret(file: Path) -> str:
    try:
        return file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{file} cannot be read: {error}") from error
