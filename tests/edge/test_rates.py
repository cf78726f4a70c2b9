"""What may be done how often from one address; nobody else has to wait for it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from edge.connections import NO_ROOM, LiveConnections
from edge.media import UPLOADS_AT_ONCE
from events.shop import Shop
from models import AttemptReport, AttemptStatus, Cart, CurrencyCode, Money, Verification
from settings import Settings
from tests.api.cart.documents import ADD, create_variants
from tests.clients import Client, Clients
from tests.conftest import settings_for
from tests.edge.test_media import png
from tests.factories.account import PASSWORD, create_account
from tests.factories.payment import sandbox_of
from tests.given import id_of
from tests.observe import wait_until

LIMIT = 3
LIMITED = {
    "requests_per_minute": 40,
    "sign_ins_per_minute": LIMIT,
    "registrations_per_hour": LIMIT,
    "guest_carts_per_hour": LIMIT,
    "uploads_per_minute": LIMIT,
    "refused_webhooks_per_minute": LIMIT,
    "live_connections_per_address": LIMIT,
    "live_connections_per_account": 2,
}
SIGN_IN = """mutation($input: SessionCreateInput!) { sessionCreate(input: $input) {
  session { accessToken } userErrors { code retryAfterSeconds } } }"""
REGISTER = """mutation($input: AccountRegisterInput!) { accountRegister(input: $input) {
  userErrors { code retryAfterSeconds } } }"""
ELSEWHERE = ("203.0.113.9", 5)


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return settings_for(database_url, tmp_path, **LIMITED)


@asynccontextmanager
async def client_elsewhere(app: Starlette) -> AsyncIterator[Client]:
    """A guest at another address."""
    transport = httpx.ASGITransport(app, client=ELSEWHERE)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop.test") as http:
        yield Client(Clients(app, http))


async def count_rows(shop: Shop, model: type[Verification | Cart]) -> int:
    async with shop.database.reads() as session:
        return await session.scalar(select(func.count()).select_from(model)) or 0


async def test_an_address_that_sends_too_many_requests_is_told_when_to_try_again(
    clients: Clients, app: Starlette
) -> None:
    answers = [await clients.http.get("/nowhere") for _ in range(LIMITED["requests_per_minute"] + 1)]
    async with client_elsewhere(app) as elsewhere:
        assert await elsewhere.get("{ __typename }") == {"__typename": "Query"}

    assert {answer.status_code for answer in answers[:-1]} == {404}
    assert answers[-1].status_code == 429
    assert answers[-1].json()["errors"][0]["extensions"] == {"code": "RATE_LIMITED"}
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 2
    assert answers[-1].headers["x-request-id"]
    assert (await clients.http.get("/healthz")).status_code == 200


async def test_sign_ins_from_an_address_are_limited_and_the_owner_is_not_locked_out(
    clients: Clients, app: Starlette, shop: Shop, session: AsyncSession
) -> None:
    await create_account(session, email="mei@example.com")
    await session.commit()
    stranger = clients.guest()

    guesses = [
        await stranger.do(SIGN_IN, login=f"{number}@example.com", password="a wrong guess")
        for number in range(LIMIT)
    ]
    refused = await stranger.do(SIGN_IN, login="mei@example.com", password=PASSWORD)
    async with client_elsewhere(app) as owner:
        signed_in = await owner.do(SIGN_IN, login="mei@example.com", password=PASSWORD)

    assert {guess["userErrors"][0]["code"] for guess in guesses} == {"CREDENTIALS_REFUSED"}
    assert [error["code"] for error in refused["userErrors"]] == ["LIMIT_REACHED"]
    assert 15 < refused["userErrors"][0]["retryAfterSeconds"] <= 20
    assert signed_in["session"]["accessToken"]


async def test_registrations_from_an_address_are_limited(clients: Clients, shop: Shop) -> None:
    payloads = [
        await clients.guest().do(REGISTER, name="Mei", password=PASSWORD, email=f"{number}@example.com")
        for number in range(LIMIT + 1)
    ]

    assert [payload["userErrors"] for payload in payloads[:-1]] == [[]] * LIMIT
    assert [error["code"] for error in payloads[-1]["userErrors"]] == ["LIMIT_REACHED"]
    assert await count_rows(shop, Verification) == LIMIT


async def test_new_carts_of_guests_are_limited_and_known_carts_are_not(clients: Clients, shop: Shop) -> None:
    (tea,) = await create_variants(shop, stock={"MAIN": 100})
    carts = [(await clients.guest().do(ADD, variantId=id_of(tea)))["cart"] for _ in range(LIMIT)]

    refused = await clients.guest().do(ADD, variantId=id_of(tea))
    known = clients.guest(**{"X-Cart-Token": carts[0]["token"]})
    added = [await known.do(ADD, variantId=id_of(tea)) for _ in range(LIMIT + 1)]
    customer = await clients.customer()
    own = await customer.do(ADD, variantId=id_of(tea))

    assert [error["code"] for error in refused["userErrors"]] == ["LIMIT_REACHED"]
    assert [payload["userErrors"] for payload in [*added, own]] == [[]] * (LIMIT + 2)
    assert await count_rows(shop, Cart) == LIMIT + 1


async def test_uploads_are_limited_by_address_and_by_account(clients: Clients, app: Starlette) -> None:
    customer, other = await clients.customer(), await clients.customer()
    answers = [
        await clients.http.post("/media", content=png(), headers=customer.headers) for _ in range(LIMIT + 1)
    ]
    async with client_elsewhere(app) as elsewhere:
        http = elsewhere.clients.http
        moved = await http.post("/media", content=png(), headers=customer.headers)
        others = await http.post("/media", content=png(), headers=other.headers)

    assert [answer.status_code for answer in [*answers, moved]] == [201] * LIMIT + [429, 429]
    assert int(moved.headers["retry-after"]) in range(1, 21)
    assert moved.json()["errors"][0]["extensions"]["code"] == "LIMIT_REACHED"
    assert others.status_code == 201


async def test_pictures_that_one_account_sends_at_once_are_limited(clients: Clients, shop: Shop) -> None:
    shop.settings = allow_uploads(shop.settings)
    customer, other = await clients.customer(), await clients.customer()
    async with shop.picture_memory.reserve(shop.picture_memory.limit):  # no picture can be decoded now
        held = [
            asyncio.create_task(clients.http.post("/media", content=png(), headers=customer.headers))
            for _ in range(UPLOADS_AT_ONCE)
        ]
        await wait_until(lambda: len(shop.picture_memory.queue) == UPLOADS_AT_ONCE)
        refused = await clients.http.post("/media", content=png(), headers=customer.headers)
        from_same_address = await clients.http.post("/media", content=png(), headers=other.headers)

    assert [
        (answer.status_code, answer.headers["retry-after"]) for answer in (refused, from_same_address)
    ] == [(429, "2")] * 2
    assert {answer.status_code for answer in await asyncio.gather(*held)} == {201}


def allow_uploads(settings: Settings) -> Settings:
    rates = settings.rates.model_copy(update={"uploads": 100})
    return settings.model_copy(update={"rates": rates})


async def test_wrong_signatures_from_an_address_are_limited_and_right_ones_are_not(
    clients: Clients, app: Starlette, shop: Shop
) -> None:
    report = AttemptReport("nothing", None, AttemptStatus.CAPTURED, Money(1, CurrencyCode.CNY))
    body, headers = sandbox_of(shop).sign_notification(report)
    path = "/webhooks/payments/sandbox"

    genuine = [await clients.http.post(path, content=body, headers=headers) for _ in range(LIMIT + 1)]
    forged = [await clients.http.post(path, content=b"{}", headers=headers) for _ in range(LIMIT + 1)]
    late = await clients.http.post(path, content=body, headers=headers)
    async with client_elsewhere(app) as partner:
        elsewhere = await partner.clients.http.post(path, content=body, headers=headers)

    assert [answer.text for answer in genuine] == ["refused"] * (LIMIT + 1)  # an unknown payment
    assert [answer.status_code for answer in [*forged, late]] == [400] * LIMIT + [429, 429]
    assert elsewhere.status_code == 400


async def test_a_partner_may_post_more_often_than_others_send_requests(clients: Clients, shop: Shop) -> None:
    report = AttemptReport("nothing", None, AttemptStatus.CAPTURED, Money(1, CurrencyCode.CNY))
    body, headers = sandbox_of(shop).sign_notification(report)
    path, many = "/webhooks/payments/sandbox", LIMITED["requests_per_minute"] + 1

    genuine = {(await clients.http.post(path, content=body, headers=headers)).text for _ in range(many)}
    nowhere = [(await clients.http.post("/webhooks/carriers/nobody")).status_code for _ in range(LIMIT + 1)]

    assert genuine == {"refused"}  # an unknown payment
    assert nowhere == [404] * LIMIT + [429]


async def test_web_sockets_of_an_address_are_limited_and_a_closed_one_gives_room(
    clients: Clients, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"{(await clients.start_server()).replace('http', 'ws')}/graphql"
    protocols = [Subprotocol("graphql-transport-ws")]
    opened = [await connect(url, subprotocols=protocols) for _ in range(LIMIT)]

    with pytest.raises(InvalidStatus) as refused:
        await connect(url, subprotocols=protocols)
    await opened[0].close()
    await asyncio.sleep(0.1)
    again = await connect(url, subprotocols=protocols)

    assert refused.value.response.status_code == 429
    assert refused.value.response.headers["Retry-After"] == "10"
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
    for each in (*opened[1:], again):
        await each.close()


async def test_web_sockets_of_an_account_are_limited(clients: Clients) -> None:
    url = f"{(await clients.start_server()).replace('http', 'ws')}/graphql"
    customer = await clients.customer()
    init = json.dumps({"type": "connection_init", "payload": customer.headers})
    async with AsyncExitStack() as stack:
        sockets = [
            await stack.enter_async_context(connect(url, subprotocols=[Subprotocol("graphql-transport-ws")]))
            for _ in range(LIMIT)
        ]
        for each in sockets:
            await each.send(init)
        answers = [await sockets[place].recv() for place in range(LIMITED["live_connections_per_account"])]
        with pytest.raises(ConnectionClosed) as refused:
            await sockets[-1].recv()

    assert [json.loads(answer)["type"] for answer in answers] == ["connection_ack"] * 2
    assert refused.value.rcvd
    assert (refused.value.rcvd.code, refused.value.rcvd.reason) == (1013, str(NO_ROOM))


async def test_event_streams_are_limited_by_address_and_by_account(clients: Clients, shop: Shop) -> None:
    streams = Starlette(
        routes=[Route("/", stream_until_end)], middleware=[Middleware(LiveConnections, shop=shop)]
    )
    streams.state.end = asyncio.Event()
    customer, guest = await clients.customer(), clients.guest()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(streams), base_url="http://s") as http:
        running = [asyncio.create_task(http.get("/", headers=customer.headers)) for _ in range(2)]
        await asyncio.sleep(0.05)
        third_of_account = await http.get("/", headers=customer.headers)
        running.append(asyncio.create_task(http.get("/", headers=guest.headers)))
        await asyncio.sleep(0.05)
        fourth_of_address = await http.get("/", headers=guest.headers)
        streams.state.end.set()
        answers = await asyncio.gather(*running)
        later = await http.get("/", headers=customer.headers)

    assert [answer.status_code for answer in (third_of_account, fourth_of_address)] == [429, 429]
    assert third_of_account.headers["retry-after"] == "10"
    assert [answer.status_code for answer in [*answers, later]] == [200] * 4


async def stream_until_end(request: Request) -> Response:
    async def wait() -> AsyncIterator[bytes]:
        yield b":\n\n"
        await request.app.state.end.wait()

    return StreamingResponse(wait(), media_type="text/event-stream")
