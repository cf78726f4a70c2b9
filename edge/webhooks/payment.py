"""Notices of payment providers."""

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from edge.addresses import client_address
from edge.rates import too_many_response
from events.payment import take_notice
from events.shop import Shop
from gateways.payment.provider import NoticeRefused, NoticeRequest, PaymentProvider, ProviderError, Verdict
from models import PaymentMethod
from resolvers.rates import LimitedAction, TooManyAttempts, forgive_action, limit_action
from text.messages import Message

log = structlog.get_logger()

BODY_LIMIT_BYTES = 64_000


class NotificationTooLarge(Exception):
    """A body of more than BODY_LIMIT_BYTES."""


class PaymentWebhook:
    """An ASGI app with one path for each provider, which is answered as it wants to be."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        await (await self.respond(request))(scope, receive, send)

    async def respond(self, request: Request) -> Response:
        provider = self.find_provider(request.path_params["provider"])
        if provider is None:
            return PlainTextResponse("There is no such provider.", 404)
        address = client_address(request.scope, self.shop.settings)
        try:
            await limit_action(self.shop, LimitedAction.WEBHOOK, by=address)
            body = await read_body(request)
        except TooManyAttempts as error:
            return too_many_response(
                Message("Too many notifications were refused."), error.retry_after_seconds or 1
            )
        except NotificationTooLarge:
            return PlainTextResponse(f"At most {BODY_LIMIT_BYTES} bytes.", 413, {"Connection": "close"})
        notice = NoticeRequest(read_headers(request), body, self.shop.clock(), request.url.query)
        verdict = await self.judge(provider, notice, address)
        outcome = "ok" if verdict in (Verdict.ACCEPTED, Verdict.REPEATED) else "refused"
        self.shop.metrics.webhooks.add(provider.method.value, outcome)
        answer = provider.answer(verdict)
        return Response(answer.body, answer.status, dict(answer.headers), "text/plain")

    async def judge(self, provider: PaymentProvider, request: NoticeRequest, address: str) -> Verdict:
        """Take a notice; REFUSED what is forged or does not fit, RETRY while the database does not answer.

        What is genuine does not count against the address it came from.
        """
        try:
            notice = await provider.read(request)
            await forgive_action(self.shop, LimitedAction.WEBHOOK, by=address)
            return await take_notice(self.shop, provider, notice)
        except NoticeRefused as refusal:
            log.warning("payment.notification_refused", provider=provider.method, reason=str(refusal))
            return Verdict.REFUSED
        except (ProviderError, DBAPIError, PoolTimeout, TimeoutError, OSError) as error:
            log.warning(
                "payment.notification_postponed", provider=provider.method, error=type(error).__name__
            )
            return Verdict.RETRY

    def find_provider(self, name: str) -> PaymentProvider | None:
        """The connected provider for the name in the path, such as "wechat-pay"; None for an unknown one."""
        method = PaymentMethod.__members__.get(name.replace("-", "_").upper())
        return self.shop.payments.get(method) if method else None


async def read_body(request: Request) -> bytes:
    """The raw body, as it was signed; NotificationTooLarge beyond BODY_LIMIT_BYTES."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_LIMIT_BYTES:
            raise NotificationTooLarge
    return body


def read_headers(request: Request) -> dict[str, str]:
    """The headers by their names in lower case; one that comes twice is a list (RFC 9110), so that nobody
    reads one of two signatures."""
    return {name: ", ".join(request.headers.getlist(name)) for name in set(request.headers)}
