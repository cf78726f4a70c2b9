"""Notices to a webhook that sends SMS and push, signed as https://www.standardwebhooks.com describes."""

from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus

import httpx
import orjson
from standardwebhooks import Webhook

from gateways.notice import NoticeMessage, NoticeRefused, NoticeUnavailable

TIMEOUT_SECONDS = 10.0
RETRIED = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
"""Client errors that pass by themselves."""


class WebhookNotices:
    """Posts each message as JSON. Any 2xx takes it; 410 says that the recipient is gone."""

    def __init__(
        self, client: httpx.AsyncClient, url: str, secret: str, clock: Callable[[], datetime]
    ) -> None:
        self.client = client
        self.url = url
        self.signer = Webhook(secret)
        self.clock = clock

    async def send(self, message: NoticeMessage) -> None:
        now = self.clock().astimezone(UTC)
        body = orjson.dumps(
            {
                "type": f"notice.{message.channel.value.lower()}",
                "timestamp": now.isoformat(),
                "data": {
                    "kind": message.kind.value,
                    "recipient": message.recipient,
                    "language": message.language,
                    "title": message.title,
                    "body": message.body,
                },
            }
        )
        headers = {
            "Content-Type": "application/json",
            "webhook-id": message.id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self.signer.sign(message.id, now, body.decode()),
        }
        try:
            response = await self.client.post(
                self.url, content=body, headers=headers, timeout=TIMEOUT_SECONDS
            )
        except httpx.HTTPError as error:
            raise NoticeUnavailable(type(error).__name__) from None
        self.check_status(response.status_code)

    def check_status(self, status: int) -> None:
        if 200 <= status < 300:
            return
        if 400 <= status < 500 and status not in RETRIED:
            raise NoticeRefused(f"HTTP {status}", recipient_gone=status == HTTPStatus.GONE)
        raise NoticeUnavailable(f"HTTP {status}")
