"""Which gateway sends the notices of each channel."""

from collections.abc import Callable, Mapping
from datetime import datetime

import httpx
import structlog

from gateways.notice import NoticeGateway
from gateways.notice.log import LogNotices
from gateways.notice.smtp import SmtpNotices
from gateways.notice.webhook import WebhookNotices
from models import NoticeChannel
from settings import Settings

log = structlog.get_logger()


def connect_notice_gateways(
    settings: Settings, client: httpx.AsyncClient, clock: Callable[[], datetime]
) -> Mapping[NoticeChannel, NoticeGateway]:
    """The gateway of each channel that has one.

    SMTP takes e-mail, the webhook SMS and push, and e-mail where there is no SMTP. In development, what is
    left goes to the log; in production it goes nowhere, since one-time codes must not stand in logs.
    """
    notices = settings.notices
    gateways: dict[NoticeChannel, NoticeGateway] = {}
    if not settings.deployment.is_production:
        gateways = dict.fromkeys(NoticeChannel, LogNotices())
    if notices.webhook_url:
        secret = notices.webhook_secret.get_secret_value()
        webhook = WebhookNotices(client, notices.webhook_url, secret, clock)
        gateways |= dict.fromkeys(NoticeChannel, webhook)
    if notices.smtp_host:
        gateways[NoticeChannel.EMAIL] = SmtpNotices(notices, notices.shop_name)
    if missing := [channel.value for channel in NoticeChannel if channel not in gateways]:
        log.warning("notice.no_gateway", channels=missing, settings="SMTP_HOST, NOTICE_WEBHOOK_URL")
    return gateways
