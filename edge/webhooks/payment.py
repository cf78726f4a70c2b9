"""Notifications of payment providers."""

import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from domain.payment import NotOurs, first_notice
from events.payment import take_report
from events.shop import Shop
from gateways.payment import NotificationRefused, PaymentGateway, PaymentReport
from models import PaymentMethod

log = structlog.get_logger()

BODY_LIMIT_BYTES = 64_000


class TooLarge(Exception):
    """More bytes than any provider has to say."""


class PaymentWebhook:
    """One address for each provider; what it says counts only when it is genuine, fresh and about us."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        await (await self.answer(request))(scope, receive, send)

    async def answer(self, request: Request) -> Response:
        gateway = self.gateway(request.path_params["provider"])
        if gateway is None:
            return PlainTextResponse("There is no such provider.", 404)
        try:
            body = await body_of(request)
            report = gateway.verify(dict(request.headers), body, now=self.shop.clock())
            await self.take(gateway, report)
        except TooLarge:
            return PlainTextResponse(f"At most {BODY_LIMIT_BYTES} bytes.", 413, {"Connection": "close"})
        except (NotificationRefused, NotOurs) as refusal:
            log.warning("payment.notification_refused", provider=gateway.method, reason=str(refusal))
            return PlainTextResponse("refused", 400)
        return PlainTextResponse("ok")

    def gateway(self, provider: str) -> PaymentGateway | None:
        methods = {method.value.lower().replace("_", "-"): method for method in PaymentMethod}
        method = methods.get(provider)
        return self.shop.payments.get(method) if method else None

    async def take(self, gateway: PaymentGateway, report: PaymentReport) -> None:
        """One transaction: the message is remembered together with what it causes, or neither is."""
        async with self.shop.database.writes.begin() as session:
            nonce, now = report.nonce or "", self.shop.clock()
            if not await first_notice(session, method=gateway.method, nonce=nonce, now=now):
                log.info("payment.notification_repeated", provider=gateway.method)
                return
            await take_report(session, self.shop, gateway.method, report)
        self.shop.wake()


async def body_of(request: Request) -> bytes:
    """The raw body, as it was signed."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_LIMIT_BYTES:
            raise TooLarge
    return body
