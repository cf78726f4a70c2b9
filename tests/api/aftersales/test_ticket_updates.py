"""Watching a ticket: what was missed and what is new, each once, and only for who may see it still."""

import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update
from websockets.exceptions import ConnectionClosed

from events.shop import Shop
from events.topics import subject_topic
from models import Account, Role, Subject
from resolvers.ids import global_id, row_id
from tests.api.aftersales.documents import TicketCase, command, open_ticket
from tests.api.aftersales.test_ticket_access import UPDATES
from tests.api.test_account import SIGN_OUT, client_of, sign_in
from tests.api.test_erasure import ERASE
from tests.clients import Client, Clients
from tests.conftest import Clock
from tests.edge.graphql.test_rights import check_rights
from tests.edge.graphql.transports import Socket, initialised_socket
from tests.factories.account import PASSWORD
from tests.given import codes
from tests.observe import run_until_idle, wait_until

SAY = command("ticketMessageAdd")


async def test_what_was_missed_comes_first_and_each_version_once_though_it_is_signalled_twice(
    case: TicketCase, shop: Shop
) -> None:
    ticket = await open_ticket(case)
    for body in ("One.", "Two.", "Three."):
        await case.agent.do(SAY, id=ticket, body=body)
    topic = subject_topic(Subject.TICKET, row_id(ticket, "Ticket"))
    async with (
        case.customer.watch(UPDATES, id=ticket, after=2) as watch,
        case.agent.watch(UPDATES, id=ticket) as live,
    ):
        missed = [(await watch.next())["data"]["ticketUpdates"] for _ in range(2)]
        for _ in range(3):
            await shop.bus.notify([topic])
        await case.agent.do(SAY, id=ticket, body="Four.")
        await run_until_idle(shop)
        await shop.bus.notify([topic])
        new = [(await each.next())["data"]["ticketUpdates"] for each in (watch, live)]
        assert await watch.is_quiet()
        assert await live.is_quiet()

    assert [each["version"] for each in missed] == [3, 4]
    assert [(each["version"], each["ticket"]["version"]) for each in new] == [(5, 5), (5, 5)]


@pytest.mark.parametrize("after", [-1, 2])
async def test_an_unknown_version_of_a_ticket_is_refused(case: TicketCase, after: int) -> None:
    ticket = await open_ticket(case)

    async with case.customer.watch(UPDATES, id=ticket, after=after) as watch:
        [error] = (await watch.answer())["errors"]

    assert error["extensions"] == {"code": "INVALID", "field": ["after"]}
    assert error["message"] == "This ticket is at version 1."


async def test_a_foreign_ticket_is_watched_like_one_that_does_not_exist(
    case: TicketCase, clients: Clients
) -> None:
    ticket, stranger = await open_ticket(case), await clients.customer()
    answers = []
    for id in (ticket, global_id("Ticket", 999_999), global_id("Order", case.order.id), "nonsense"):
        for after in (None, 0, 1, 99, -1):
            async with stranger.watch(UPDATES, id=id, after=after) as watch:
                answers.append(json.dumps((await watch.answer())["errors"]))

    assert len(set(answers)) == 1
    assert "NOT_FOUND" in answers[0]


@pytest.mark.parametrize("role", [Role.GUEST_BUYER, Role.CATALOGUE, Role.COURIER])
async def test_others_do_not_watch_tickets(case: TicketCase, clients: Clients, role: Role) -> None:
    ticket, other = await open_ticket(case), await clients.staff(role)

    async with other.watch(UPDATES, id=ticket, after=0) as watch:
        [error] = (await watch.answer())["errors"]

    assert error["extensions"]["code"] in ("FORBIDDEN", "NOT_FOUND")


# --- rights that end while somebody watches


Loss = Callable[[TicketCase, Clients, Clock, dict[str, Any]], Awaitable[None]]


async def sign_out(case: TicketCase, clients: Clients, clock: Clock, session: dict[str, Any]) -> None:
    await clients.guest().do(SIGN_OUT, refreshToken=session["refreshToken"])


async def expire(case: TicketCase, clients: Clients, clock: Clock, session: dict[str, Any]) -> None:
    clock.tick(timedelta(minutes=15))


async def erase(case: TicketCase, clients: Clients, clock: Clock, session: dict[str, Any]) -> None:
    assert codes(await case.customer.do(ERASE, password=PASSWORD)) == []


async def lose_role(case: TicketCase, clients: Clients, clock: Clock, session: dict[str, Any]) -> None:
    assert case.agent.account
    async with clients.shop.database.writes.begin() as writes:
        changed = update(Account).where(Account.id == case.agent.account.id).values(role=Role.CATALOGUE)
        await writes.execute(changed)
    clock.tick(timedelta(seconds=2))


LOSSES: dict[str, tuple[str, Loss]] = {
    "signed out": ("customer", sign_out),
    "expired": ("customer", expire),
    "erased": ("customer", erase),
    "another role": ("agent", lose_role),
}


async def read_rest(socket: Socket) -> list[str]:
    """What a socket still receives until it is closed."""
    received = []
    with suppress(ConnectionClosed):
        while True:
            received.append(str(await socket.connection.recv()))
    return received


@pytest.mark.parametrize(("watcher", "lose"), LOSSES.values(), ids=LOSSES)
async def test_nothing_of_a_ticket_reaches_who_may_not_see_it_any_more(
    case: TicketCase, clients: Clients, shop: Shop, clock: Clock, watcher: str, lose: Loss
) -> None:
    ticket = await open_ticket(case)
    await case.customer.do(command("ticketCancel"), id=ticket)
    await run_until_idle(shop)
    account = getattr(case, watcher).account
    payload = await sign_in(clients, account.email)
    client: Client = client_of(clients, payload)
    async with initialised_socket(clients, **client.headers) as socket:
        await socket.subscribe(UPDATES, variables={"id": ticket})
        await wait_until(lambda: shop.metrics.live_operations.get(("websocket",)) == 1)
        await lose(case, clients, clock, payload["session"])
        await check_rights(clients)
        token = await clients.staff(Role.SUPPORT)
        noted = await token.do(SAY, id=ticket, body="Secret.", internal=True)
        received = await token.do(SAY, id=ticket, body="Closed.")
        await run_until_idle(shop)
        left = await read_rest(socket)
        closed = socket.connection.close_code

    assert noted["userErrors"] == received["userErrors"] == []
    assert closed == 4403
    assert not any('"next"' in each and "ticket.message" in each for each in left), left
    await wait_until(lambda: shop.metrics.live_operations[("websocket",)] == 0)
