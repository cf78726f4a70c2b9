"""Notices of payment providers."""

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from edge.webhooks.incoming import DATABASE_FAILURES, admit_post, answer_unknown
from events.payment import take_notice
from events.shop import Shop
from gateways.payment.provider import NoticeRefused, NoticeRequest, PaymentProvider, ProviderError, Verdict
from models import PaymentMethod
from resolvers.rates import LimitedAction, forgive_action

log = structlog.get_logger()

BODY_LIMIT_BYTES = 64_000


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
            return await answer_unknown(self.shop, request, "provider")
        post = await admit_post(self.shop, request, limit_bytes=BODY_LIMIT_BYTES)
        if isinstance(post, Response):
            return post
        notice = NoticeRequest(post.headers, post.body, self.shop.clock(), request.url.query)
        verdict = await self.judge(provider, notice, post.address)
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
        except (ProviderError, *DATABASE_FAILURES) as error:
            log.warning(
                "payment.notification_postponed", provider=provider.method, error=type(error).__name__
            )
            return Verdict.RETRY

    def find_provider(self, name: str) -> PaymentProvider | None:
        """The connected provider for the name in the path, such as "wechat-pay"; None for an unknown one."""
        method = PaymentMethod.__members__.get(name.replace("-", "_").upper())
        return self.shop.payments.get(method) if method else None
