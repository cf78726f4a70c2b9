"""Notices by SMTP, by webhook and in the log, against servers of ours."""

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from standardwebhooks import Webhook

from gateways.notice import NoticeGateway, NoticeMessage, NoticeRefused, NoticeUnavailable
from gateways.notice.log import LogNotices
from gateways.notice.registry import connect_notice_gateways
from gateways.notice.smtp import SmtpNotices
from gateways.notice.webhook import WebhookNotices
from models import NoticeChannel, NoticeKind
from settings import WrongSetting
from tests.conftest import settings_for
from tests.mail_server import MailServer

SECRET = "whsec_" + base64.b64encode(b"a webhook secret for tests").decode()
MESSAGE = NoticeMessage(
    "notice-7",
    NoticeKind.PASSWORD_RESET,
    NoticeChannel.EMAIL,
    "mei@example.com",
    "zh",
    "您的验证码：123456",
    "您正在重置密码，验证码 123456。",
)


def smtp_to(server: MailServer, tmp_path: Path) -> SmtpNotices:
    settings = settings_for(
        "sqlite://",
        tmp_path,
        smtp_host="127.0.0.1",
        smtp_port=server.port,
        smtp_security="none",
        mail_from="no-reply@shop.example",
    )
    return SmtpNotices(settings.notices, "茶铺")


async def test_an_email_says_who_it_is_from_and_is_the_same_mail_at_each_attempt(tmp_path: Path) -> None:
    async with MailServer().running() as server:
        for _ in range(2):
            await smtp_to(server, tmp_path).send(MESSAGE)

    (recipient, mail), (_, again) = server.mails
    assert recipient == mail["To"] == "mei@example.com"
    assert str(mail["From"]) == "茶铺 <no-reply@shop.example>"
    assert mail["Subject"] == "您的验证码：123456"
    assert mail["Message-ID"] == again["Message-ID"] == "<notice-7@shop.example>"
    assert (mail["Content-Language"], mail["Auto-Submitted"]) == ("zh", "auto-generated")
    assert mail.get_content().splitlines() == ["您正在重置密码，验证码 123456。", "", "茶铺"]


@pytest.mark.parametrize(
    ("replies", "outcome"),
    [
        ({"RCPT": "550 mei@example.com: no such mailbox"}, NoticeRefused),
        ({"RCPT": "450 mei@example.com: busy"}, NoticeUnavailable),
        ({"MAIL": "550 not from you"}, NoticeRefused),
        ({"DATA": "451 later"}, NoticeUnavailable),
        ({"MAIL_DATA": "552 too large"}, NoticeRefused),
        ({"CONNECT": "421 shutting down"}, NoticeUnavailable),
    ],
)
async def test_what_a_mail_server_refuses_for_good_is_not_tried_again(
    tmp_path: Path, replies: dict[str, str], outcome: type[Exception]
) -> None:
    async with MailServer(replies).running() as server:
        with pytest.raises(outcome) as refused:
            await smtp_to(server, tmp_path).send(MESSAGE)

    assert "mei" not in str(refused.value)
    assert refused.value.__context__ is None or refused.value.__suppress_context__


async def test_a_mail_server_that_is_away_is_tried_again(tmp_path: Path) -> None:
    async with MailServer().running() as server:
        pass
    with pytest.raises(NoticeUnavailable):
        await smtp_to(server, tmp_path).send(MESSAGE)


async def test_a_line_break_in_a_recipient_adds_no_header(tmp_path: Path) -> None:
    async with MailServer().running() as server:
        recipient = "mei@example.com\r\nBcc: all@example.com"
        hostile = NoticeMessage("notice-8", MESSAGE.kind, MESSAGE.channel, recipient, "en", "title", "body")
        with pytest.raises(ValueError, match="linefeed"):
            await smtp_to(server, tmp_path).send(hostile)
    assert server.mails == []


@dataclass
class Receiver:
    """The other end of the webhook."""

    status: int = 200
    requests: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return httpx.Response(self.status)

    def gateway(self) -> WebhookNotices:
        client = httpx.AsyncClient(transport=httpx.MockTransport(self))
        return WebhookNotices(client, "https://push.example/notices", SECRET, lambda: datetime.now(UTC))


async def test_a_webhook_gets_the_message_with_a_signature_it_can_verify() -> None:
    receiver = Receiver()
    await receiver.gateway().send(MESSAGE)

    (request,) = receiver.requests
    sent = Webhook(SECRET).verify(request.content, dict(request.headers))
    assert sent["type"] == "notice.email"
    assert sent["data"] == {
        "kind": "PASSWORD_RESET",
        "recipient": "mei@example.com",
        "language": "zh",
        "title": "您的验证码：123456",
        "body": "您正在重置密码，验证码 123456。",
    }
    assert request.headers["webhook-id"] == "notice-7"


@pytest.mark.parametrize(
    ("status", "outcome", "gone"),
    [
        (400, NoticeRefused, False),
        (410, NoticeRefused, True),
        (302, NoticeUnavailable, False),
        (408, NoticeUnavailable, False),
        (429, NoticeUnavailable, False),
        (500, NoticeUnavailable, False),
    ],
)
async def test_what_a_webhook_refuses_for_good_is_not_tried_again(
    status: int, outcome: type[Exception], gone: bool
) -> None:
    with pytest.raises(outcome) as refused:
        await Receiver(status).gateway().send(MESSAGE)

    assert getattr(refused.value, "recipient_gone", False) is gone


def gateways_with(tmp_path: Path, **changes: str) -> dict[NoticeChannel, type[NoticeGateway]]:
    settings = settings_for("sqlite://", tmp_path, **changes)
    found = connect_notice_gateways(settings, httpx.AsyncClient(), lambda: datetime.now(UTC))
    return {channel: type(gateway) for channel, gateway in found.items()}


def test_each_channel_has_the_gateway_that_the_settings_name(tmp_path: Path) -> None:
    webhook = {"notice_webhook_url": "https://push.example/", "notice_webhook_secret": SECRET}
    email_, sms, push = NoticeChannel
    assert gateways_with(tmp_path) == dict.fromkeys(NoticeChannel, LogNotices)
    assert gateways_with(tmp_path, smtp_host="mail") == {
        email_: SmtpNotices,
        sms: LogNotices,
        push: LogNotices,
    }
    assert gateways_with(tmp_path, **webhook) == dict.fromkeys(NoticeChannel, WebhookNotices)
    assert gateways_with(tmp_path, smtp_host="mail", **webhook)[email_] is SmtpNotices


def test_in_production_nothing_is_written_to_the_log(tmp_path: Path) -> None:
    assert gateways_with(tmp_path, environment="production") == {}


@pytest.mark.parametrize(
    "changes",
    [
        {"notice_webhook_url": "https://push.example/"},
        {"notice_webhook_url": "https://push.example/", "notice_webhook_secret": "whsec_c2hvcnQ="},
        {"notice_webhook_url": "push.example", "notice_webhook_secret": SECRET},
        {"mail_from": "nobody"},
        {"shop_name": "two\nlines"},
    ],
)
def test_a_wrong_setting_of_notices_is_named(tmp_path: Path, changes: dict[str, str]) -> None:
    with pytest.raises(WrongSetting, match=r"NOTICE_WEBHOOK|MAIL_FROM|SHOP_NAME"):
        settings_for("sqlite://", tmp_path, **changes)
