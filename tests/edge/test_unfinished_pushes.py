"""Pushes that never come whole: they count against their address, and take little memory until then."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus

import httpx
import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message

from edge.connections import BodyTooSlow
from edge.limits.body import BodyTooLarge
from edge.webhooks.shipment import PUSH_BYTES_IN_FLIGHT, PUSH_BYTES_OF_ADDRESS, CarrierWebhook
from events.shop import Shop
from tests.factories.carrier import connect_carrier
from tests.gateways.carrier.kuaidi100.desk import open_desk

STRANGER = "192.0.2.1"
CHUNK = b"a" * 1_000_000


@pytest.fixture
def webhook(shop: Shop) -> CarrierWebhook:
    connect_carrier(shop, open_desk(httpx.AsyncClient(), "http://127.0.0.1:9").gateway)
    return CarrierWebhook(shop)


@dataclass
class Sender:
    """A client that sends chunks, then waits, and then does what `end` does."""

    webhook: CarrierWebhook
    chunks: int
    end: Callable[[], Awaitable[Message]]
    address: str = STRANGER
    has_sent: asyncio.Event = field(default_factory=asyncio.Event)
    may_end: asyncio.Event = field(default_factory=asyncio.Event)
    answered: list[int] = field(default_factory=list)

    async def push(self) -> int:
        """The status of the answer."""
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/webhooks/carriers/kuaidi100",
            "path_params": {"connection": "kuaidi100"},
            "query_string": b"",
            "headers": [],
            "client": (self.address, 1),
        }
        try:
            await self.webhook(scope, self.receive, self.send)
        finally:
            self.has_sent.set()
        return self.answered[0]

    async def receive(self) -> Message:
        if self.chunks:
            self.chunks -= 1
            return {"type": "http.request", "body": CHUNK, "more_body": True}
        self.has_sent.set()
        await self.may_end.wait()
        return await self.end()

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.answered.append(message["status"])


async def hang_up() -> Message:
    return {"type": "http.disconnect"}


async def be_slow() -> Message:
    raise BodyTooSlow


async def send_too_much() -> Message:
    raise BodyTooLarge


async def finish() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


def sender(webhook: CarrierWebhook, chunks: int, end: Callable[[], Awaitable[Message]] = hang_up) -> Sender:
    made = Sender(webhook, chunks, end)
    made.may_end.set()
    return made


@pytest.mark.parametrize(
    ("end", "error"),
    [(hang_up, ClientDisconnect), (be_slow, BodyTooSlow), (send_too_much, BodyTooLarge)],
)
async def test_a_push_that_never_comes_whole_counts_against_its_address(
    webhook: CarrierWebhook, shop: Shop, end: Callable[[], Awaitable[Message]], error: type[Exception]
) -> None:
    for _ in range(shop.settings.rates.refused_webhooks):
        with pytest.raises(error):
            await sender(webhook, 1, end).push()

    assert await sender(webhook, 1, finish).push() == HTTPStatus.TOO_MANY_REQUESTS
    assert webhook.room.taken == {}


async def test_an_address_is_told_to_wait_beyond_its_room_and_others_are_served(
    webhook: CarrierWebhook,
) -> None:
    chunks = PUSH_BYTES_OF_ADDRESS // len(CHUNK)
    halves = [Sender(webhook, chunks // 2, finish) for _ in range(2)]
    async with asyncio.TaskGroup() as tasks:
        answers = [tasks.create_task(each.push()) for each in halves]
        await asyncio.gather(*(each.has_sent.wait() for each in halves))

        late = await sender(webhook, 1, finish).push()
        other = sender(webhook, 1, finish)
        other.address = "192.0.2.2"
        of_another = await other.push()
        for each in halves:
            each.may_end.set()

    assert (late, of_another) == (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.BAD_REQUEST)
    assert [answer.result() for answer in answers] == [HTTPStatus.BAD_REQUEST] * 2
    assert webhook.room.taken == {}


async def test_a_process_holds_so_many_bytes_of_pushes_and_no_more(webhook: CarrierWebhook) -> None:
    of_one = PUSH_BYTES_OF_ADDRESS // len(CHUNK) // 2
    many = [
        Sender(webhook, of_one, hang_up, f"198.51.100.{number}")
        for number in range(PUSH_BYTES_IN_FLIGHT // len(CHUNK) // of_one)
    ]
    tasks = [asyncio.create_task(each.push()) for each in many]
    await asyncio.gather(*(each.has_sent.wait() for each in many))
    assert webhook.room.taken.total() == PUSH_BYTES_IN_FLIGHT

    late = [await sender(webhook, 1, finish).push() for _ in range(2)]
    for each in many:
        each.may_end.set()
    ended = await asyncio.gather(*tasks, return_exceptions=True)

    assert late == [HTTPStatus.SERVICE_UNAVAILABLE] * 2
    assert {type(each) for each in ended} == {ClientDisconnect}
    assert webhook.room.taken == {}
    assert await sender(webhook, 1, finish).push() == HTTPStatus.BAD_REQUEST
