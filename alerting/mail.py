"""E-mail over SMTP."""

import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage

from alerting.receivers import REPEAT_S, Payload
from alerting.sending import Outcome

__all__ = ["Mail"]

SUBJECT_MAX = 200


@dataclass(frozen=True, slots=True)
class Mail:
    """One message for the alerts of one rule and state. `tls`: none, starttls or tls."""

    host: str
    port: int
    sender: str
    to: tuple[str, ...]
    tls: str = "starttls"
    user: str = ""
    password: str = field(default="", repr=False)
    timeout_s: float = 10.0
    repeat_s: float = REPEAT_S

    is_grouped = True
    keeps_state = False

    @property
    def target(self) -> str:
        return f"mail-{self.host}:{self.port}-{','.join(self.to)}"

    def send(self, payloads: Sequence[Payload]) -> Outcome:
        try:
            with self._connection() as connection:
                if self.tls == "starttls":
                    connection.starttls(context=ssl.create_default_context())
                if self.user:
                    connection.login(self.user, self.password)
                connection.send_message(message(payloads, self.sender, self.to))
        except smtplib.SMTPResponseException as error:
            said = (
                error.smtp_error.decode("utf-8", "replace")
                if isinstance(error.smtp_error, bytes)
                else str(error.smtp_error)
            )
            return Outcome(False, f"{self.target} answered {error.smtp_code} {said[:200]}")
        except (OSError, smtplib.SMTPException, ValueError) as error:
            if isinstance(error, TimeoutError) or "timed out" in str(error):
                return Outcome(False, f"{self.target} did not answer within {self.timeout_s:g} s")
            return Outcome(False, f"{self.target} is not reached: {type(error).__name__}: {error}")
        return Outcome(True, f"delivered to {self.target}")

    def _connection(self) -> smtplib.SMTP:
        if self.tls == "tls":
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(self.host, self.port, timeout=self.timeout_s, context=context)
        return smtplib.SMTP(self.host, self.port, timeout=self.timeout_s)


def message(payloads: Sequence[Payload], sender: str, to: Sequence[str]) -> EmailMessage:
    """One notification, one Message-ID: a mail server or reader can tell a repeat."""
    first = payloads[0]
    mail = EmailMessage()
    many = f" ({len(payloads)} alerts)" if len(payloads) > 1 else ""
    service = first["labels"].get("service", "")
    subject = f"[{first['state']}] {first['severity']}: {first['rule']} {service}{many}"
    mail["Subject"] = " ".join(subject.split())[:SUBJECT_MAX]
    mail["From"] = Address(addr_spec=sender)
    mail["To"] = ", ".join(to)
    mail["Message-ID"] = f"<{first['notification_id']}@dynoscope>"
    # Mail of one alert, firing and resolved, is one thread.
    mail["References"] = f"<{first['id']}@dynoscope>"
    mail["X-Dynoscope-Notification"] = ",".join(str(one["notification_id"]) for one in payloads)[
        :900
    ]
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content("\n\n".join(_text(payload) for payload in payloads))
    return mail


def _text(payload: Payload) -> str:
    lines = [
        str(payload["summary"]),
        "",
        f"Since {payload['started_at']}, until {payload['ended_at'] or 'now'}.",
        *(f"{name}: {value}" for name, value in sorted(payload["labels"].items())),
        "",
        *(f"{word}: {to}" for word, to in payload["links"].items()),
        f"Notification {payload['notification_id']}, alert {payload['id']}",
    ]
    return "\n".join(lines)
