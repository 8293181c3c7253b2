"""Mail to a real SMTP server on loopback."""

import email
import email.policy
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller

from alerting.mail import Mail
from tests.alerting.payloads import firing, resolved

TO = ("oncall@example.org", "second@example.org")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Mailbox:
    """What the server took; `answer`: what it says to a message instead of taking it."""

    mails: list[email.message.EmailMessage] = field(default_factory=list)
    answer: str = ""

    async def handle_DATA(self, server: object, session: object, envelope: object) -> str:
        if self.answer:
            return self.answer
        content = envelope.original_content
        self.mails.append(email.message_from_bytes(content, policy=email.policy.default))
        return "250 OK"


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, Controller]]:
    box = Mailbox()
    controller = Controller(box, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield box, controller
    controller.stop()


def mail_of(controller: Controller, **changes: object) -> Mail:
    settings = {"tls": "none", "timeout_s": 20.0, **changes}
    return Mail("127.0.0.1", controller.port, "dynoscope@example.org", TO, **settings)


def test_a_mail_says_what_breaks_under_the_notifications_id(mailbox) -> None:
    box, controller = mailbox
    outcome = mail_of(controller).send([firing()])
    assert outcome.delivered, outcome
    (mail,) = box.mails
    assert mail["Subject"] == "[firing] page: feed-latency shop"
    assert mail["Message-ID"] == f"<{firing()['notification_id']}@dynoscope>"
    assert mail["To"] == ", ".join(TO) and mail["Auto-Submitted"] == "auto-generated"
    text = mail.get_content()
    assert "It breaks <!channel> & more." in text and "endpoint: http://127.0.0.1:8600/" in text


def test_firing_and_resolved_are_one_thread_and_groups_one_mail(mailbox) -> None:
    box, controller = mailbox
    mail_of(controller).send([firing(), firing(id="a2", labels={"service": "other"})])
    mail_of(controller).send([resolved()])
    first, second = box.mails
    assert first["References"] == second["References"]
    assert "(2 alerts)" in first["Subject"] and "other" in first.get_content()
    assert "until 2026-09-25T12:01:00.000Z" in second.get_content()


def test_what_the_server_says_is_the_reason(mailbox) -> None:
    box, controller = mailbox
    box.answer = "451 come again later"
    outcome = mail_of(controller).send([firing()])
    assert not outcome.delivered and "451 come again later" in outcome.reason


def test_a_label_cannot_write_a_header(mailbox) -> None:
    box, controller = mailbox
    labels = {"service": "shop\r\nBcc: thief@example.org"}
    assert mail_of(controller).send([firing(labels=labels)]).delivered
    assert box.mails[0]["Bcc"] is None


def test_a_server_that_is_not_there_or_says_nothing_is_a_failure() -> None:
    gone = Mail("127.0.0.1", 1, "a@b.c", TO, "none", timeout_s=5)
    assert "not reached" in gone.send([firing()]).reason
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        hangs = Mail("127.0.0.1", silent.getsockname()[1], "a@b.c", TO, "none", timeout_s=0.2)
        assert "did not answer within 0.2 s" in hangs.send([firing()]).reason


def test_a_password_goes_only_to_a_server_whose_certificate_holds(tmp_path: Path) -> None:
    """A self-signed certificate is not trusted, so nothing is said to the server."""
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1",
         "-keyout", str(key), "-out", str(cert), "-days", "1"],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    said = threading.Event()
    box = Mailbox()

    def authenticate(*_: object) -> None:
        said.set()

    controller = Controller(
        box,
        hostname="127.0.0.1",
        port=free_port(),
        tls_context=context,
        authenticator=authenticate,
        auth_required=False,
    )
    controller.start()
    try:
        where = ("127.0.0.1", controller.port, "a@b.c", TO)
        hook = Mail(*where, "starttls", "me", "swordfish", timeout_s=20)
        outcome = hook.send([firing()])
    finally:
        controller.stop()
    assert not outcome.delivered and "CERTIFICATE_VERIFY_FAILED" in outcome.reason
    assert not said.is_set() and box.mails == [] and "swordfish" not in repr(hook)
