"""Pushes of carriers."""

from contextlib import suppress

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from edge.addresses import client_address
from edge.connections import BodyTooSlow
from edge.limits.body import BodyTooLarge
from edge.webhooks.incoming import (
    DATABASE_FAILURES,
    IncomingPost,
    admit_post,
    answer_unknown,
    refuse_for_now,
)
from edge.webhooks.room import BodyRoom, HeldBody, NoRoomLeft
from events.shipment.push_content import UnreadableContent
from events.shipment.pushes import TooManyPushes
from events.shop import Shop
from gateways.carrier.protocol import CarrierGateway, PushRefused, PushRequest, PushVerdict
from models import CarrierConnection
from resolvers.rates import LimitedAction, TooManyAttempts, check_action, limit_action

log = structlog.get_logger()

PUSH_BYTES_LIMIT = 8_000_000
"""A history of ten thousand events with Chinese texts, each character of which is nine bytes of a form."""
PUSH_BYTES_IN_FLIGHT = 64_000_000
"""What one process holds at once of pushes that it has not judged yet."""
PUSH_BYTES_OF_ADDRESS = 2 * PUSH_BYTES_LIMIT
"""What it holds of one address: whoever sends slowly from there leaves room for others."""
UNFINISHED = (ClientDisconnect, BodyTooSlow, BodyTooLarge)
"""How a push ends that never came whole."""
NAMES = [each.value.lower().replace("_", "-") for each in CarrierConnection]
PUSH_LIMITS = {f"/webhooks/carriers/{name}": PUSH_BYTES_LIMIT for name in NAMES}
"""By path: what is pushed may be larger than other requests."""


class CarrierWebhook:
    """An ASGI app with one path for each connection, which is answered as it expects."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.room = BodyRoom(PUSH_BYTES_IN_FLIGHT, PUSH_BYTES_OF_ADDRESS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        await (await self.respond(request))(scope, receive, send)

    async def respond(self, request: Request) -> Response:
        gateway = self.find_gateway(request.path_params["connection"])
        if gateway is None:
            return await answer_unknown(self.shop, request, "carrier")
        address = client_address(request.scope, self.shop.settings)
        with self.room.hold(address) as held:
            try:
                post = await self.admit(request, held)
            except NoRoomLeft:
                log.warning("carrier.push_postponed", connection=gateway.connection.value, error="NoRoomLeft")
                return refuse_for_now()
            if isinstance(post, Response):
                return post
            return await self.take(gateway, post, request.url.query)

    async def admit(self, request: Request, held: HeldBody) -> IncomingPost | Response:
        """What was pushed, or the answer to what is refused; that and what never comes whole counts against
        its address, but not what there was no room for."""
        try:
            post = await admit_post(
                self.shop, request, limit_bytes=PUSH_BYTES_LIMIT, limit=check_action, held=held
            )
        except UNFINISHED:
            await self.count_refused(held.address)
            raise
        if isinstance(post, Response):
            await self.count_refused(held.address)
        return post

    async def take(self, gateway: CarrierGateway, post: IncomingPost, query: str) -> Response:
        push = PushRequest(post.headers, post.body, self.shop.clock(), query)
        verdict = await self.judge(gateway, push, post.address)
        outcome = "ok" if verdict is PushVerdict.ACCEPTED else "refused"
        self.shop.metrics.webhooks.add(gateway.connection.value, outcome)
        answer = gateway.answer(verdict)
        return Response(answer.body, answer.status, dict(answer.headers), "text/plain")

    async def judge(self, gateway: CarrierGateway, request: PushRequest, address: str) -> PushVerdict:
        """Store a push; REFUSED what is forged or unreadable, RETRY while the database does not answer or too
        many wait to be folded.

        Only what is refused counts against the address it came from: of what is genuine a bucket is asked
        once, before its body is read.
        """
        try:
            pushes = gateway.read_push(request)
            await self.shop.push_inbox.put(gateway.connection, pushes)
        except (PushRefused, UnreadableContent) as refusal:
            log.warning("carrier.push_refused", connection=gateway.connection.value, reason=str(refusal))
            await self.count_refused(address)
            return PushVerdict.REFUSED
        except (TooManyPushes, *DATABASE_FAILURES) as error:
            log.warning(
                "carrier.push_postponed", connection=gateway.connection.value, error=type(error).__name__
            )
            return PushVerdict.RETRY
        return PushVerdict.ACCEPTED

    async def count_refused(self, address: str) -> None:
        """Count one more that was refused; those beyond the rate have been refused all the same."""
        with suppress(TooManyAttempts):
            await limit_action(self.shop, LimitedAction.WEBHOOK, by=address)

    def find_gateway(self, name: str) -> CarrierGateway | None:
        """The connected gateway for the name in the path that takes pushes, such as "kuaidi100"."""
        connection = CarrierConnection.__members__.get(name.replace("-", "_").upper())
        gateway = self.shop.carriers.get(connection) if connection else None
        return gateway if gateway is not None and gateway.capabilities.pushes else None
