"""What a counter of the work queue counts can be listed, and questions about no order can, too."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from events.shop import Shop
from loaders.work_queue import WorkQueue
from models import Role, Ticket, TicketStatus
from resolvers.ids import global_id
from tests.api.aftersales.documents import TicketCase, command, open_ticket
from tests.clients import Client, Clients
from tests.conftest import Clock
from tests.factories.aftersales import create_question_about_no_order, create_ticket
from tests.observe import count_statements

COUNTS = "{ workQueueCounts { queue count } }"
LIST = """query($filter: TicketFilter, $sort: TicketSort = NEWEST, $first: Int! = 100, $after: String) {
  tickets(filter: $filter, sort: $sort, first: $first, after: $after) {
    totalCount pageInfo { endCursor hasNextPage } nodes { id } } }"""
STAFF = [Role.SUPPORT, Role.WAREHOUSE, Role.MANAGER, Role.ADMIN]


async def list_queue(client: Client, queue: str, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = (await client.get(LIST, filter={"queue": queue}, **more))["tickets"]
    return found


async def fill_queues(case: TicketCase, session: AsyncSession, shop: Shop) -> None:
    """Tickets in every queue: one that waits, and of each other kind one more than of the kind before."""
    now, agent = shop.clock(), case.agent.account
    assert agent
    waiting, due, late, held, returned, escalated, quiet = [
        [await create_ticket(session, now=now) for _ in range(count)] for count in (1, 2, 3, 4, 5, 6, 2)
    ]
    later = now + timedelta(days=1)
    changes: list[tuple[list[Ticket], dict[str, Any]]] = [
        (waiting, {"attend_by": later}),
        (due, {"attend_by": now + timedelta(hours=4), "unanswered_since": now}),
        (late, {"attend_by": now, "overdue_since": now}),
        (held, {"attend_by": later, "assignee_id": agent.id}),
        (returned, {"attend_by": later, "status": TicketStatus.RETURN_SHIPPED}),
        (returned[:1], {"overdue_since": now, "status": TicketStatus.REPAIRING}),
        (escalated, {"attend_by": later, "status": TicketStatus.ARBITRATION}),
        (quiet, {"attend_by": None, "status": TicketStatus.REFUSED, "assignee_id": agent.id}),
    ]
    for tickets, values in changes:
        ids = [ticket.id for ticket in tickets]
        await session.execute(update(Ticket).where(Ticket.id.in_(ids)).values(values))
    await session.commit()


@pytest.mark.parametrize("role", STAFF)
async def test_a_counter_and_its_list_agree_in_every_queue(
    case: TicketCase, clients: Clients, shop: Shop, session: AsyncSession, role: Role
) -> None:
    await fill_queues(case, session, shop)
    client = case.agent if role is Role.SUPPORT else await clients.staff(role)

    counts = {each["queue"]: each["count"] for each in (await client.get(COUNTS))["workQueueCounts"]}
    lists = {queue: await list_queue(client, queue) for queue in counts}
    urgent = {queue: await list_queue(client, queue, sort="PRIORITY") for queue in counts}

    mine = 4 if role is Role.SUPPORT else 0
    of_agents = {"NEW": 6, "ANSWERED": 2, "DUE_SOON": 2, "OVERDUE": 4, "MINE": mine, "UNASSIGNED": 6}
    returns, escalated = {"RETURNS": 5}, {"ESCALATED": 6}
    expected = {
        Role.SUPPORT: of_agents | returns,
        Role.WAREHOUSE: returns | {"OVERDUE": 1},
        Role.MANAGER: of_agents | returns | escalated,
        Role.ADMIN: of_agents | returns | escalated,
    }
    assert counts == expected[role]
    for found in (lists, urgent):
        assert {queue: each["totalCount"] for queue, each in found.items()} == counts
        assert {queue: len({node["id"] for node in each["nodes"]}) for queue, each in found.items()} == counts


async def test_a_queue_on_which_somebody_does_not_work_is_not_listed(
    case: TicketCase, clients: Clients
) -> None:
    await open_ticket(case)
    guests = {role: await clients.staff(role) for role in STAFF} | {Role.CUSTOMER: case.customer}
    refused: dict[Role, set[str]] = {}
    for role, client in guests.items():
        answers = {queue.value: await client.ask(LIST, filter={"queue": queue.value}) for queue in WorkQueue}
        refused[role] = {queue for queue, answer in answers.items() if "errors" in answer}
        for queue in refused[role]:
            [error] = answers[queue]["errors"]
            assert error["extensions"]["code"] == "INVALID"
            assert error["message"] == "You do not work on this queue."

    every = {queue.value for queue in WorkQueue}
    assert refused == {
        Role.SUPPORT: {"ESCALATED"},
        Role.WAREHOUSE: every - {"RETURNS", "OVERDUE"},
        Role.MANAGER: set(),
        Role.ADMIN: set(),
        Role.CUSTOMER: every,
    }


async def test_a_queue_is_listed_with_other_filters_and_in_pages_by_the_same_statements(
    case: TicketCase, shop: Shop, clock: Clock
) -> None:
    opened = [await open_ticket(case, idempotencyKey=key) for key in "abc"]
    await case.agent.do(command("ticketTake"), id=opened[0])
    with count_statements(shop) as few:
        newest = await list_queue(case.agent, "NEW", first=1)
    with count_statements(shop) as more:
        urgent = await list_queue(case.agent, "NEW", first=2, sort="PRIORITY")
    rest = await list_queue(case.agent, "NEW", after=newest["pageInfo"]["endCursor"])
    mine = (await case.agent.get(LIST, filter={"queue": "MINE", "status": ["APPLIED"]}))["tickets"]
    nothing = (await case.agent.get(LIST, filter={"queue": "MINE", "status": ["REFUSED"]}))["tickets"]
    soon = await list_queue(case.agent, "DUE_SOON")

    assert few.total == more.total
    assert {node["id"] for node in urgent["nodes"]} == set(opened[1:])
    assert [node["id"] for node in rest["nodes"]] == opened[1:2]
    assert (mine["nodes"], nothing["nodes"], soon["nodes"]) == ([{"id": opened[0]}], [], [])


async def test_questions_about_no_order_are_listed_apart(
    case: TicketCase, shop: Shop, session: AsyncSession
) -> None:
    about_order = await open_ticket(case)
    question = await create_question_about_no_order(session, now=shop.clock())
    await session.commit()

    of_none = (await case.agent.get(LIST, filter={"aboutOrder": False}))["tickets"]
    of_some = (await case.agent.get(LIST, filter={"aboutOrder": True}))["tickets"]
    own = (await case.customer.get(LIST, filter={"aboutOrder": False}))["tickets"]

    assert of_none["nodes"] == [{"id": global_id("Ticket", question.id)}]
    assert of_some["nodes"] == [{"id": about_order}]
    assert own["totalCount"] == 0
