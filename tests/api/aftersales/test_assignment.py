"""Who has a ticket: handed over with a note, and free when an agent leaves."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import select

from domain.account.access import disable_account
from domain.aftersales.assignment import assign_ticket, release_tickets
from domain.cause import Cause
from domain.errors import Invalid
from events.shop import Shop
from models import Notice, NoticeKind, Role, Ticket
from tests.api.aftersales.documents import TicketCase, command, open_ticket
from tests.clients import Clients
from tests.given import id_of, refusals

HELD = """query($id: ID!) { ticket(id: $id) { assignee { id } messages { body internal mentions { id } }
  timeline { name } } }"""
COUNT = "query($assigned: Boolean) { tickets(filter: { assigned: $assigned }) { totalCount } }"
DISABLE = "mutation($input: AccountDisableInput!) { accountDisable(input: $input) { userErrors { code } } }"
CHANGE = "mutation($input: StaffRoleChangeInput!) { staffRoleChange(input: $input) { userErrors { code } } }"


async def test_a_ticket_is_handed_over_with_a_note_that_the_customer_does_not_see(
    case: TicketCase, clients: Clients, shop: Shop
) -> None:
    ticket = await open_ticket(case)
    colleague, courier = await clients.staff(Role.SUPPORT), await clients.staff(Role.COURIER)
    assert colleague.account
    assert courier.account
    to, assign = id_of(colleague.account), command("ticketAssign")

    handed = await case.agent.do(assign, id=ticket, assigneeId=to, note="She calls at noon.")
    refused = [
        await case.agent.do(assign, id=ticket, assigneeId=wrong, note=note)
        for wrong, note in ((id_of(courier.account), "x"), (to, " "), (to, "x" * 4_001))
    ]
    shown = (await case.agent.get(HELD, id=ticket))["ticket"]
    to_customer = (await case.customer.get(HELD, id=ticket))["ticket"]
    counts = [
        (await case.agent.get(COUNT, assigned=which))["tickets"]["totalCount"]
        for which in (True, False, None)
    ]

    assert handed["userErrors"] == []
    assert [refusals(each) for each in refused] == [
        [("INVALID", "assigneeId")],
        [("INVALID", "body")],
        [("INVALID", "body")],
    ]
    assert shown["assignee"] == {"id": to}
    assert shown["messages"] == [{"body": "She calls at noon.", "internal": True, "mentions": [{"id": to}]}]
    assert (to_customer["messages"], to_customer["assignee"]) == ([], None)
    assert [each["name"] for each in shown["timeline"]] == ["ticket.opened", "ticket.assigned"]
    assert counts == [1, 0, 1]
    async with shop.database.reads() as session:
        notices = select(Notice.account_id).where(Notice.kind == NoticeKind.TICKET_MENTIONED)
        assert (await session.scalars(notices)).all() == [colleague.account.id]


@pytest.mark.parametrize("leaves", ["disabled", "another role"])
async def test_the_open_tickets_of_an_agent_who_leaves_are_nobodys(
    case: TicketCase, clients: Clients, leaves: str
) -> None:
    kept, ended = [await open_ticket(case, idempotencyKey=key) for key in "ab"]
    colleague, admin = await clients.staff(Role.SUPPORT), await clients.staff(Role.ADMIN)
    assert colleague.account
    to = id_of(colleague.account)
    for ticket in (kept, ended):
        await case.agent.do(command("ticketAssign"), id=ticket, assigneeId=to)
    await case.customer.do(command("ticketCancel"), id=ended)

    how: dict[str, Any] = {"id": to} if leaves == "disabled" else {"id": to, "role": "CATALOGUE"}
    left = await admin.do(DISABLE if leaves == "disabled" else CHANGE, **how)
    held = [(await case.agent.get(HELD, id=ticket))["ticket"]["assignee"] for ticket in (kept, ended)]

    assert left["userErrors"] == []
    assert held == [None, {"id": to}]


async def test_nobody_is_given_a_ticket_while_they_leave(
    case: TicketCase, clients: Clients, shop: Shop
) -> None:
    for key in "abc":
        await open_ticket(case, idempotencyKey=key)
    colleague, admin = await clients.staff(Role.SUPPORT), await clients.staff(Role.ADMIN)
    assert colleague.account
    assert admin.account
    agent_id, cause = colleague.account.id, Cause(shop.clock(), admin.account.id)
    async with shop.database.reads() as session:
        tickets = (await session.scalars(select(Ticket.id))).all()

    async def give(ticket_id: int) -> None:
        try:
            async with shop.database.writes.begin() as session:
                await assign_ticket(session, ticket_id, agent_id, cause=cause)
        except Invalid:
            return

    async def leave() -> None:
        async with shop.database.writes.begin() as session:
            account = await disable_account(session, agent_id, cause=cause)
            await release_tickets(session, account, cause=cause)

    await asyncio.gather(*(give(ticket_id) for ticket_id in tickets), leave())

    async with shop.database.reads() as session:
        assert set(await session.scalars(select(Ticket.assignee_id))) == {None}
