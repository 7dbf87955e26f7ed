from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Iterator
from email.header import decode_header, make_header

import pytest

from audio_extract_dagster.errors import Never, TryAgain
from audio_extract_dagster.notify.gateway import (
    GatewayRefused,
    GatewaySilent,
    GatewayUnavailable,
    HttpGateway,
    LogGateway,
    open_gateway,
)
from audio_extract_dagster.notify.message import Message
from audio_extract_dagster_tests.notify.gateway_server import (
    HttpGatewayServer,
    MailServer,
    mail_server,
)

# Apprise asks for a module that Python 3.13 no longer has, to be on the safe side.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

EMAILS = ("ana@example.com", "luis@example.com")
MESSAGE = Message(
    title="Grabaciones del día",
    subject="Grabaciones del 2026-03-11: señal ñ",
    html="<html><body><p>Todo está <b>guardado</b></p></body></html>",
)


@pytest.fixture
def smtp() -> Iterator[MailServer]:
    with mail_server() as running:
        yield running


@pytest.fixture
def dead_port() -> Iterator[int]:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


# The contact centre's gateway


def test_the_body_is_exactly_what_the_gateway_takes(server: HttpGatewayServer) -> None:
    open_gateway(server.url, EMAILS).send(MESSAGE)
    assert server.received == [
        {
            "title": MESSAGE.title,
            "subject": MESSAGE.subject,
            "priority": "sendinblue",
            "htmlContent": MESSAGE.html,
            "to": [
                {"name": "", "email": "ana@example.com"},
                {"name": "", "email": "luis@example.com"},
            ],
        }
    ]


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_success(server: HttpGatewayServer, status: int) -> None:
    server.statuses = [status]
    open_gateway(server.url, EMAILS).send(MESSAGE)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, GatewayRefused),
        (307, GatewayRefused),
        (400, GatewayRefused),
        (401, GatewayRefused),
        (404, GatewayRefused),
        (408, GatewayUnavailable),
        (429, GatewayUnavailable),
        (500, GatewayUnavailable),
        (503, GatewayUnavailable),
    ],
)
def test_everything_else_is_an_error_that_shows_no_secret(
    server: HttpGatewayServer, status: int, kind: type[Exception]
) -> None:
    server.statuses = [status]
    with pytest.raises(kind, match=f"{status}") as caught:
        open_gateway(server.url, EMAILS).send(MESSAGE)
    assert "NOTIFY_URL" in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert server.methods == ["POST"]


def test_a_message_whose_answer_is_late_may_have_been_delivered(server: HttpGatewayServer) -> None:
    server.gate = threading.Event()
    gateway = HttpGateway(server.url, EMAILS, answer_seconds=0.1)
    with pytest.raises(GatewaySilent, match="may have been delivered") as caught:
        gateway.send(MESSAGE)
    assert server.asked.acquire(timeout=10)
    server.gate.set()
    assert "NOTIFY_URL" in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_the_families() -> None:
    assert issubclass(GatewayUnavailable, TryAgain)
    assert issubclass(GatewaySilent, TryAgain)
    assert issubclass(GatewayRefused, Never)


@pytest.mark.parametrize("call", ["send", "check"])
def test_a_gateway_that_is_down(dead_port: int, call: str) -> None:
    gateway = open_gateway(f"http://127.0.0.1:{dead_port}/s3cret", EMAILS)
    with pytest.raises(GatewayUnavailable, match="cannot be reached") as caught:
        gateway.send(MESSAGE) if call == "send" else gateway.check()
    assert "s3cret" not in str(caught.value)


def test_a_gateway_on_this_machine_is_not_asked_through_a_proxy(
    server: HttpGatewayServer, dead_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{dead_port}")
    open_gateway(server.url, EMAILS).send(MESSAGE)
    assert server.methods == ["POST"]


def test_a_proxy_that_cannot_be_used_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "socks5://127.0.0.1:1")
    with pytest.raises(GatewayRefused, match="HTTPS_PROXY"):
        open_gateway("https://gateway.invalid/", EMAILS).send(MESSAGE)


@pytest.mark.parametrize("url", ["http://", "http://:1/", "https://[", "http://a b/"])
def test_an_address_that_is_none(url: str | None) -> None:
    with pytest.raises((GatewayRefused, GatewayUnavailable), match="NOTIFY_URL"):
        open_gateway(url, EMAILS).send(MESSAGE)


@pytest.mark.parametrize("status", [200, 404, 405])
def test_check_sends_nothing(server: HttpGatewayServer, status: int) -> None:
    server.statuses = [status]
    assert "127.0.0.1" in open_gateway(server.url, EMAILS).check()
    assert server.methods == ["HEAD"]


def test_check_of_a_gateway_that_is_ill(server: HttpGatewayServer) -> None:
    server.statuses = [502]
    with pytest.raises(GatewayUnavailable, match="502"):
        open_gateway(server.url, EMAILS).check()


# Which gateway


@pytest.mark.parametrize("level", ["DEBUG", "WARNING", "CRITICAL"])
def test_without_settings_messages_go_to_the_log_whatever_its_level(
    caplog: pytest.LogCaptureFixture, level: str
) -> None:
    caplog.set_level(level, logger="audio_extract_dagster")
    gateway = open_gateway(None, ())
    assert isinstance(gateway, LogGateway)
    gateway.send(MESSAGE)
    assert caplog.messages == [f"{MESSAGE.subject}\nTodo está guardado"]
    # Where no log is set up, as in Dagster's code server, Python shows warnings and no less.
    assert caplog.records[0].levelno >= logging.WARNING
    assert gateway.check().startswith("Warning: NOTIFY_URL")


@pytest.mark.parametrize(("url", "emails"), [("http://127.0.0.1/", ()), (None, EMAILS)])
def test_half_the_settings_are_refused(url: str | None, emails: tuple[str, ...]) -> None:
    with pytest.raises(GatewayRefused, match="together"):
        open_gateway(url, emails)


def test_no_repr_shows_a_secret() -> None:
    assert repr(HttpGateway("https://gw.example/s3cret?s3cret", EMAILS)) == (
        "HttpGateway('gw.example', 2 recipients)"
    )
    gateway = open_gateway("mailto://user:s3cret@mail.example?from=a@example.com", EMAILS)
    assert "s3cret" not in repr(gateway)
    assert "s3cret" not in gateway.check()


# Mail


@pytest.mark.parametrize("scheme", ["mailto", "smtp"])
def test_a_mail_reaches_every_recipient(smtp: MailServer, scheme: str) -> None:
    url = f"{scheme}://127.0.0.1:{smtp.port}?from=robot@example.com"
    open_gateway(url, EMAILS).send(MESSAGE)
    assert sorted(smtp.recipients) == sorted(EMAILS)
    assert sorted(mail["To"] for mail in smtp.mails) == sorted(EMAILS)
    mail = smtp.mails[0]
    assert str(make_header(decode_header(mail["Subject"]))) == MESSAGE.subject
    assert "robot@example.com" in mail["From"]
    parts = {part.get_content_type(): part for part in mail.walk()}
    html = parts["text/html"].get_payload(decode=True)
    assert isinstance(html, bytes)
    assert "guardado" in html.decode("utf-8")


@pytest.mark.parametrize("reply", ["451 later", "550 no such box"])
def test_a_mail_that_is_not_taken_is_an_error(smtp: MailServer, reply: str) -> None:
    smtp.reply, smtp.unwanted = reply, set(EMAILS)
    gateway = open_gateway(f"mailto://127.0.0.1:{smtp.port}?from=robot@example.com", EMAILS)
    with pytest.raises(GatewayUnavailable, match="did not take"):
        gateway.send(MESSAGE)


@pytest.mark.parametrize("unwanted", EMAILS)
def test_a_mail_that_one_recipient_has_is_sent(
    smtp: MailServer, unwanted: str, caplog: pytest.LogCaptureFixture
) -> None:
    smtp.unwanted = {unwanted}
    url = f"mailto://127.0.0.1:{smtp.port}?from=robot@example.com"
    open_gateway(url, EMAILS).send(MESSAGE)
    assert sorted(smtp.recipients) == sorted(EMAILS)
    assert len(smtp.mails) == 1
    assert "1 of 2 recipients did not take the message" in caplog.text
    assert unwanted not in caplog.text


def test_a_mail_server_that_is_down(dead_port: int) -> None:
    gateway = open_gateway(f"mailto://127.0.0.1:{dead_port}?from=robot@example.com", EMAILS)
    with pytest.raises(GatewayUnavailable):
        gateway.send(MESSAGE)


@pytest.mark.parametrize(
    "url", ["mailto://127.0.0.1?from=a@b.c", "nonsense://host/s3cret", "no url"]
)
def test_a_url_that_apprise_cannot_use_is_an_error_at_once(url: str | None) -> None:
    with pytest.raises(GatewayRefused, match="NOTIFY_URL") as caught:
        open_gateway(url, EMAILS)
    assert "s3cret" not in str(caught.value)


def test_what_stands_for_a_host_may_be_a_secret() -> None:
    assert "s3cret" not in repr(open_gateway("pbul://s3crettoken", EMAILS))
    assert "127.0.0.1" in repr(open_gateway("mailto://127.0.0.1:25?from=a@example.com", EMAILS))


@pytest.mark.parametrize("url", ["nonsense://s3cret", "s3cret"])
def test_a_url_that_cannot_be_used_is_not_shown(url: str, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(GatewayRefused) as caught:
        open_gateway(url, EMAILS)
    assert "s3cret" not in str(caught.value)
    # Apprise itself logs what it could not use.
    assert "URL" in caplog.text
    assert "s3cret" not in caplog.text


def test_apprise_tells_the_log_no_recipient(
    smtp: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    url = f"mailto://127.0.0.1:{smtp.port}?from=robot@example.com"
    open_gateway(url, EMAILS).send(MESSAGE)
    assert "ana@" not in caplog.text
