"""Notifications of payment providers."""

import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from domain.cause import Cause
from domain.payment import PaymentMismatch, register_notification
from edge.addresses import client_address
from edge.rates import too_many_response
from events.payment import apply_report
from events.shop import Shop
from gateways.payment import NotificationRefused, PaymentGateway, PaymentReport
from models import PaymentMethod
from resolvers.rates import LimitedAction, TooManyAttempts, forgive_action, limit_action
from text.messages import Message

log = structlog.get_logger()

BODY_LIMIT_BYTES = 64_000


class NotificationTooLarge(Exception):
    """A body of more than BODY_LIMIT_BYTES."""


class PaymentWebhook:
    """An ASGI app with one path for each provider; answers 400 to what is forged, stale or not about us."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        await (await self.respond(request))(scope, receive, send)

    async def respond(self, request: Request) -> Response:
        gateway = self.find_gateway(request.path_params["provider"])
        if gateway is None:
            return PlainTextResponse("There is no such provider.", 404)
        response = await self.receive_notification(gateway, request)
        outcome = "ok" if response.status_code == 200 else "refused"
        self.shop.metrics.webhooks.add(gateway.method.value, outcome)
        return response

    async def receive_notification(self, gateway: PaymentGateway, request: Request) -> Response:
        address = client_address(request.scope, self.shop.settings)
        try:
            await limit_action(self.shop, LimitedAction.WEBHOOK, by=address)
            body = await read_body(request)
            report = gateway.verify(dict(request.headers), body, now=self.shop.clock())
            await forgive_action(self.shop, LimitedAction.WEBHOOK, by=address)
            await self.process_report(gateway, report)
        except TooManyAttempts as error:
            return too_many_response(
                Message("Too many notifications were refused."), error.retry_after_seconds or 1
            )
        except NotificationTooLarge:
            return PlainTextResponse(f"At most {BODY_LIMIT_BYTES} bytes.", 413, {"Connection": "close"})
        except (NotificationRefused, PaymentMismatch) as refusal:
            log.warning("payment.notification_refused", provider=gateway.method, reason=str(refusal))
            return PlainTextResponse("refused", 400)
        return PlainTextResponse("ok")

    def find_gateway(self, provider: str) -> PaymentGateway | None:
        """The connected gateway for the name in the path, such as "wechat-pay"; None for an unknown one."""
        methods = {method.value.lower().replace("_", "-"): method for method in PaymentMethod}
        method = methods.get(provider)
        return self.shop.payments.get(method) if method else None

    async def process_report(self, gateway: PaymentGateway, report: PaymentReport) -> None:
        """Apply a report once: its nonce and what it causes are written in one transaction."""
        async with self.shop.database.writes.begin() as session:
            nonce, now = report.nonce or "", self.shop.clock()
            if not await register_notification(session, method=gateway.method, nonce=nonce, now=now):
                log.info("payment.notification_repeated", provider=gateway.method)
                return
            await apply_report(session, gateway.method, report, cause=Cause(now))
        self.shop.wake_relay()


async def read_body(request: Request) -> bytes:
    """The raw body, as it was signed; NotificationTooLarge beyond BODY_LIMIT_BYTES."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_LIMIT_BYTES:
            raise NotificationTooLarge
    return body
