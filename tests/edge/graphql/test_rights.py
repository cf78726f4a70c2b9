"""An open connection has no more rights than its sign-in has at this moment."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from datetime import timedelta

import pytest
from sqlalchemy import update
from websockets.exceptions import ConnectionClosed

from models import Account, Role
from tests.clients import Client, Clients
from tests.conftest import Clock
from tests.edge.graphql.transports import (
    EVENT_STREAM,
    MULTIPART,
    Socket,
    initialised_socket,
    open_http,
    read_events,
    read_parts,
)
from tests.factories.token import sign_in_account
from tests.given import id_of
from tests.observe import count_statements, wait_until

WATCH = "subscription { workQueue { name } }"
ROLE = "{ viewer { role } }"

Loss = Callable[[Client, Clock], Awaitable[None]]


async def let_expire(client: Client, clock: Clock) -> None:
    clock.tick(timedelta(minutes=15))


async def disable(client: Client, clock: Clock) -> None:
    assert client.account
    admin = await client.clients.staff(Role.ADMIN)
    text = "mutation ($input: AccountDisableInput!) { accountDisable(input: $input) { userErrors { code } } }"
    assert await admin.do(text, id=id_of(client.account)) == {"userErrors": []}


async def change_role(client: Client, clock: Clock) -> None:
    """Change it in the database only, as an operator may: no signal is sent."""
    assert client.account
    async with client.clients.shop.database.writes.begin() as session:
        await session.execute(
            update(Account).where(Account.id == client.account.id).values(role=Role.CUSTOMER)
        )
    clock.tick(timedelta(seconds=2))


LOSSES: dict[str, Loss] = {"expired": let_expire, "disabled": disable, "another role": change_role}


async def check_rights(clients: Clients) -> None:
    """What the process does every few seconds."""
    await clients.app.state.graphql.connections.check_rights()


async def watch(socket: Socket, clients: Clients) -> None:
    await socket.subscribe(WATCH)
    await wait_until(lambda: clients.shop.metrics.live_operations.get(("websocket",)) == 1)


@pytest.mark.parametrize("lose", LOSSES.values(), ids=LOSSES)
async def test_a_quiet_socket_is_closed_when_its_sign_in_is_not_valid_any_more(
    clients: Clients, clock: Clock, lose: Loss
) -> None:
    clerk = await clients.staff(Role.SUPPORT)
    async with initialised_socket(clients, **clerk.headers) as socket:
        await watch(socket, clients)
        await check_rights(clients)
        await lose(clerk, clock)
        await check_rights(clients)
        code, reason = await socket.read_close()

    assert (code, "sign-in has ended" in reason) == (4403, True)
    await wait_until(lambda: clients.shop.metrics.live_operations[("websocket",)] == 0)


@pytest.mark.parametrize("lose", LOSSES.values(), ids=LOSSES)
async def test_an_operation_on_an_open_socket_is_refused_when_the_sign_in_is_not_valid_any_more(
    clients: Clients, clock: Clock, lose: Loss
) -> None:
    clerk = await clients.staff(Role.SUPPORT)
    async with initialised_socket(clients, **clerk.headers) as socket:
        await lose(clerk, clock)
        with suppress(ConnectionClosed):  # where a signal has closed it already
            await socket.subscribe(ROLE)
        assert (await socket.read_close())[0] == 4403


@pytest.mark.parametrize("accept", [EVENT_STREAM, MULTIPART])
@pytest.mark.parametrize("lose", LOSSES.values(), ids=LOSSES)
async def test_a_stream_ends_when_its_sign_in_is_not_valid_any_more(
    clients: Clients, clock: Clock, lose: Loss, accept: str
) -> None:
    clerk = await clients.staff(Role.SUPPORT)
    headers = {**clerk.headers, "Accept": accept}
    async with open_http(clients) as http:
        reading = asyncio.create_task(http.post("/graphql", json={"query": WATCH}, headers=headers))
        await wait_until(lambda: sum(clients.shop.metrics.live_operations.values()) == 1)
        await lose(clerk, clock)
        await check_rights(clients)
        text = (await reading).text

    if accept == EVENT_STREAM:
        events = read_events(text)
        assert [name for name, _ in events] == ["next", "complete"]
        ending = json.loads(events[0][1])
    else:
        ending = read_parts(text)[-1]["payload"]
    assert ending["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}


async def test_a_client_goes_on_with_a_fresh_token_on_the_living_socket(
    clients: Clients, clock: Clock
) -> None:
    clerk = await clients.staff(Role.SUPPORT)
    assert clerk.account
    async with initialised_socket(clients, **clerk.headers) as socket:
        await watch(socket, clients)
        clock.tick(timedelta(minutes=14))
        token = await sign_in_account(clients.shop, clerk.account)
        await socket.send({"type": "ping", "payload": {"authorization": f"Bearer {token}"}})
        pong = await socket.receive()
        assert (pong["type"], token in json.dumps(pong)) == ("pong", False)
        clock.tick(timedelta(minutes=14))
        await check_rights(clients)
        await socket.subscribe(ROLE, id="2")
        assert (await socket.receive())["payload"] == {"data": {"viewer": {"role": "SUPPORT"}}}
        assert clients.shop.metrics.live_operations[("websocket",)] >= 1


async def test_a_token_of_another_account_or_a_forged_one_closes_the_socket(clients: Clients) -> None:
    clerk, other = await clients.staff(Role.SUPPORT), await clients.staff(Role.SUPPORT)
    for authorization in (other.headers["Authorization"], "Bearer forged", ""):
        async with initialised_socket(clients, **clerk.headers) as socket:
            await socket.send({"type": "ping", "payload": {"authorization": authorization}})
            assert (await socket.read_close())[0] == 4403


async def test_a_guest_may_sign_in_on_the_living_socket(clients: Clients) -> None:
    customer = await clients.customer()
    async with initialised_socket(clients) as socket:
        await socket.send({"type": "ping", "payload": {"authorization": customer.headers["Authorization"]}})
        await socket.receive()
        await socket.subscribe(ROLE)
        assert (await socket.receive())["payload"] == {"data": {"viewer": {"role": "CUSTOMER"}}}


async def test_rights_of_many_connections_are_looked_up_with_one_query(clients: Clients) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(5):
            clerk = await clients.staff(Role.SUPPORT)
            await stack.enter_async_context(initialised_socket(clients, **clerk.headers))
        with count_statements(clients.shop) as sent:
            await check_rights(clients)

    assert sent.total == 1
