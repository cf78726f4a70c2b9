"""Who is given which ticket: by skill, certificate and load; and agents who take the next one."""

import asyncio
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from domain.aftersales.giving import take_ticket
from domain.cause import Cause
from domain.errors import NotFound
from domain.training import RequirementDraft, save_requirement
from events.aftersales import RELEASES_ENDED, TICKETS_FREE, TICKETS_UNCERTIFIED, TICKETS_UNRANKED
from events.jobs.scheduler import Scheduler
from events.shop import Shop
from models import Account, Role, Ticket, TicketRelease, TicketType
from tests.api.aftersales.documents import TicketCase, command, open_ticket
from tests.clients import Client, Clients
from tests.conftest import Clock
from tests.factories.account import create_account
from tests.factories.aftersales import create_ticket
from tests.factories.training import certify, create_course
from tests.given import id_of, refusals
from tests.observe import count_statements

AGENTS = """{ ticketAgents { account { id } skills { type language } openLimit load awaySince version } }"""
SAVE = """mutation ($input: TicketAgentSaveInput!) { ticketAgentSave(input: $input) {
  ticketAgent { openLimit version skills { type language } } userErrors { code field } } }"""
PRESENCE = """mutation ($input: TicketPresenceSetInput!) { ticketPresenceSet(input: $input) {
  ticketAgent { awaySince } userErrors { code field } } }"""
TAKE = """mutation ($input: TicketTakeInput!) { ticketTake(input: $input) {
  ticket { id assignee { id } } userErrors { code field } } }"""
LIST = """query ($sort: TicketSort! = PRIORITY, $filter: TicketFilter, $after: String) {
  tickets(sort: $sort, filter: $filter, first: 2, after: $after) { totalCount pageInfo { endCursor }
    nodes { id priority { attendBy valueHours wordHours urgentTerms } } } }"""
CHANGE = "mutation($input: StaffRoleChangeInput!) { staffRoleChange(input: $input) { userErrors { code } } }"
DISABLE = "mutation($input: AccountDisableInput!) { accountDisable(input: $input) { userErrors { code } } }"
ENABLE = "mutation($input: AccountEnableInput!) { accountEnable(input: $input) { userErrors { code } } }"
HELD = "query ($id: ID!) { ticket(id: $id) { assignee { id } } }"

RETURNS = [{"type": "RETURN_REFUND", "language": "en"}]


async def save(manager: Client, agent: Client, *, limit: int = 5, **more: Any) -> dict[str, Any]:
    assert agent.account
    given = {"accountId": id_of(agent.account), "skills": RETURNS, "openLimit": limit} | more
    return await manager.do(SAVE, **given)


async def give(shop: Shop) -> int:
    """What the timer does every few seconds; on how many tickets."""
    return await Scheduler(shop, [TICKETS_FREE]).run_once()


async def holder_of(client: Client, ticket: str) -> str | None:
    holder = (await client.get(HELD, id=ticket))["ticket"]["assignee"]
    return None if holder is None else str(holder["id"])


async def test_a_ticket_goes_to_the_agent_with_the_skill_who_has_fewest(
    case: TicketCase, clients: Clients, shop: Shop
) -> None:
    manager = await clients.staff(Role.MANAGER)
    able, other, silent = [await clients.staff(Role.SUPPORT) for _ in range(3)]
    assert able.account
    assert other.account
    saved = await save(manager, able)
    await save(manager, other, skills=[{"type": "QUESTION", "language": "en"}])
    await save(manager, silent, skills=[{"type": "RETURN_REFUND", "language": "zh"}])
    async with shop.database.writes.begin() as session:
        account = await session.get_one(Account, case.order.account_id)
        account.language = "en"
    first = await open_ticket(case, idempotencyKey="a")
    assert await give(shop) == 1
    await save(manager, other, version=1)
    second = await open_ticket(case, idempotencyKey="b")
    assert (await give(shop), await give(shop)) == (1, 0)

    assert saved["ticketAgent"] == {"openLimit": 5, "version": 1, "skills": RETURNS}
    holders = [await holder_of(case.agent, ticket) for ticket in (first, second)]
    assert holders == [id_of(able.account), id_of(other.account)]
    listed = {agent["account"]["id"]: agent for agent in (await case.agent.get(AGENTS))["ticketAgents"]}
    assert [listed[id_of(each.account)]["load"] for each in (able, other) if each.account] == [1, 1]


async def test_nobody_is_given_more_than_their_limit_nor_what_takes_a_certificate_they_lack(
    case: TicketCase, clients: Clients, shop: Shop
) -> None:
    manager, agent = await clients.staff(Role.MANAGER), await clients.staff(Role.SUPPORT)
    assert agent.account
    await save(manager, agent, limit=1)
    async with shop.database.writes.begin() as session:
        course = await create_course(session)
        draft = RequirementDraft(course.id, TicketType.RETURN_REFUND)
        await save_requirement(session, None, draft, version=None, force=True, cause=Cause(shop.clock()))
    tickets = [await open_ticket(case, idempotencyKey=key) for key in "ab"]
    lacks = await give(shop), refusals(await agent.do(TAKE)), refusals(await agent.do(TAKE, id=tickets[0]))
    async with shop.database.writes.begin() as session:
        await certify(session, course, agent.account, now=shop.clock())
    given = [await give(shop), await give(shop)]

    assert lacks == (0, [("NOT_FOUND", "id")], [("CERTIFICATE_REQUIRED", "id")])
    assert given == [2, 0]  # both were looked at
    assert [await holder_of(case.agent, each) for each in tickets] == [id_of(agent.account), None]


async def test_the_tickets_of_who_goes_away_go_on_to_others_and_come_back_to_nobody_who_gave_them_back(
    case: TicketCase, clients: Clients, shop: Shop
) -> None:
    manager = await clients.staff(Role.MANAGER)
    first, second = [await clients.staff(Role.SUPPORT) for _ in range(2)]
    assert first.account
    assert second.account
    await save(manager, first)
    ticket = await open_ticket(case)
    await give(shop)
    away = await first.do(PRESENCE, present=False)
    free = await holder_of(case.agent, ticket), await give(shop)
    await save(manager, second)
    moved = await give(shop), await holder_of(case.agent, ticket)
    foreign = await second.ask(PRESENCE, input={"accountId": id_of(first.account), "present": True})
    await manager.do(PRESENCE, present=True, accountId=id_of(first.account))
    await second.do(command("ticketAssign"), id=ticket)
    back = await give(shop), await holder_of(case.agent, ticket)
    await first.do(command("ticketAssign"), id=ticket)
    await save(manager, second, openLimit=0)

    assert away["ticketAgent"]["awaySince"] is not None
    assert free == (None, 0)
    assert moved == (1, id_of(second.account))
    assert "FORBIDDEN" in str(foreign)
    assert back == (1, id_of(first.account))
    assert (await give(shop), await holder_of(case.agent, ticket)) == (0, None)
    assert refusals(await case.agent.do(PRESENCE, present=False)) == [("NOT_FOUND", "accountId")]


async def test_who_gave_a_ticket_back_gets_it_again_only_by_name_whoever_else_gives_it_back(
    case: TicketCase, clients: Clients, shop: Shop
) -> None:
    manager = await clients.staff(Role.MANAGER)
    first, second = [await clients.staff(Role.SUPPORT) for _ in range(2)]
    assert first.account
    to = id_of(first.account)
    for agent in (first, second):
        await save(manager, agent)
    ticket, assign = await open_ticket(case), command("ticketAssign")
    held = []
    for client in (first, second):
        held.append((await give(shop), await holder_of(case.agent, ticket)))
        await client.do(assign, id=ticket)
        await client.do(assign, id=ticket)
        await manager.do(assign, id=ticket)
    left = await give(shop), refusals(await first.do(TAKE)), refusals(await second.do(TAKE))
    other = await open_ticket(case, idempotencyKey="other")
    next_one = await first.do(TAKE)
    named = [refusals(await first.do(TAKE, id=ticket)), await holder_of(case.agent, ticket)]
    async with shop.database.reads() as session:
        kept = (await session.scalars(select(TicketRelease.account_id))).all()
    await first.do(assign, id=ticket)
    await manager.do(assign, id=ticket, assigneeId=to)
    for present in (False, True):  # who goes away gives nothing back
        await first.do(PRESENCE, present=present)
    again = await give(shop), await holder_of(case.agent, ticket)
    for each in (ticket, other):
        await case.customer.do(command("ticketCancel"), id=each)
    forgotten = [await Scheduler(shop, [RELEASES_ENDED]).run_once() for _ in "ab"]

    assert second.account
    assert held == [(1, to), (1, id_of(second.account))]
    assert left == (0, [("NOT_FOUND", "id")], [("NOT_FOUND", "id")])
    assert next_one["ticket"]["id"] == other
    assert named == [[], to]
    assert kept == [second.account.id]
    assert again == (2, to)
    assert forgotten == [1, 0]


async def test_a_ticket_is_taken_from_who_may_not_handle_it_any_more(
    case: TicketCase, clients: Clients, shop: Shop, clock: Clock
) -> None:
    manager, agent = await clients.staff(Role.MANAGER), await clients.staff(Role.SUPPORT)
    assert agent.account
    assert manager.account
    await save(manager, agent)
    tickets = [await open_ticket(case, idempotencyKey=key) for key in "abc"]
    await manager.do(TAKE, id=tickets[2])
    held, check = [await give(shop)], Scheduler(shop, [TICKETS_UNCERTIFIED])
    async with shop.database.writes.begin() as session:
        course = await create_course(session, now=clock())
        draft = RequirementDraft(course.id, TicketType.RETURN_REFUND)
        await save_requirement(session, None, draft, version=None, force=True, cause=Cause(clock()))
    taken = [await check.run_once(), await check.run_once(), await give(shop)]
    async with shop.database.writes.begin() as session:
        await certify(session, course, agent.account, now=clock())
    held += [await give(shop), await check.run_once()]
    clock.tick(timedelta(days=101))
    taken.append(await check.run_once())
    async with shop.database.reads() as session:
        holders = (await session.scalars(select(Ticket.assignee_id).order_by(Ticket.id))).all()

    assert held == [2, 2, 0]
    assert taken == [2, 0, 0, 2]
    assert holders == [None, None, manager.account.id]


async def test_who_comes_back_to_the_support_is_given_nothing_before_they_say_that_they_are_there(
    case: TicketCase, clients: Clients, shop: Shop
) -> None:
    admin, agent = await clients.staff(Role.ADMIN), await clients.staff(Role.SUPPORT)
    assert agent.account
    await save(admin, agent)
    ticket, listed = await open_ticket(case), []
    for role in ("COURIER", "SUPPORT"):
        assert (await admin.do(CHANGE, id=id_of(agent.account), role=role))["userErrors"] == []
        listed += [
            [bool(each["awaySince"]) for each in (await admin.get(AGENTS))["ticketAgents"]],
            await give(shop),
        ]
    await admin.do(PRESENCE, present=True, accountId=id_of(agent.account))

    assert listed == [[], 0, [True], 0]
    assert (await give(shop), await holder_of(case.agent, ticket)) == (1, id_of(agent.account))


async def test_nobody_is_there_for_tickets_while_they_may_handle_none(
    case: TicketCase, clients: Clients, shop: Shop
) -> None:
    admin, agent = await clients.staff(Role.ADMIN), await clients.staff(Role.SUPPORT)
    assert agent.account
    account = id_of(agent.account)
    await save(admin, agent)
    ticket, refused = await open_ticket(case), []
    for leave, back in ((DISABLE, ENABLE), (CHANGE, CHANGE)):
        roles = [{"role": "COURIER"}, {"role": "SUPPORT"}] if leave == CHANGE else [{}, {}]
        await admin.do(leave, id=account, **roles[0])
        refused.append(refusals(await admin.do(PRESENCE, present=True, accountId=account)))
        assert (await admin.do(PRESENCE, present=False, accountId=account))["userErrors"] == []
        await admin.do(back, id=account, **roles[1])

    assert refused == [[("INVALID", "accountId")]] * 2
    assert (await give(shop), await holder_of(case.agent, ticket)) == (0, None)


async def test_an_agent_is_saved_only_within_the_limits(case: TicketCase, clients: Clients) -> None:
    manager = await clients.staff(Role.MANAGER)
    courier = await clients.staff(Role.COURIER)
    wrong = [
        await save(manager, case.agent, limit=201),
        await save(manager, case.agent, skills=[{"type": "EXCHANGE", "language": "fr"}]),
        await save(manager, case.agent, skills=RETURNS * 2),
        await save(manager, courier),
    ]
    assert [refusals(each) for each in wrong] == [
        [("INVALID", "openLimit")],
        [("INVALID", "skills.0.language")],
        [("INVALID", "skills")],
        [("INVALID", "accountId")],
    ]
    await save(manager, case.agent)
    stale = await save(manager, case.agent, version=7)
    assert refusals(stale) == [("CONFLICT", "version")]
    assert [each["version"] for each in (await case.agent.get(AGENTS))["ticketAgents"]] == [1]


async def test_the_most_urgent_ticket_comes_first_and_is_taken_first(
    case: TicketCase, clients: Clients, shop: Shop
) -> None:
    calm = await open_ticket(case, idempotencyKey="a")
    angry = await open_ticket(case, idempotencyKey="b", description="This is fraud.")
    closed = await open_ticket(case, idempotencyKey="c")
    await case.customer.do(command("ticketCancel"), id=closed)
    other = await clients.staff(Role.SUPPORT)
    assert other.account

    with count_statements(shop) as counted:
        page = (await case.agent.get(LIST))["tickets"]
    own = (await case.customer.get(LIST))["tickets"]
    taken = await other.do(TAKE), await other.do(TAKE), await other.do(TAKE)
    again = await other.do(TAKE, id=angry), await case.agent.do(TAKE, id=angry)
    ended = await case.agent.do(TAKE, id=closed)

    assert [each["id"] for each in page["nodes"]] == [angry, calm]
    assert page["totalCount"] == 2
    assert page["nodes"][0]["priority"]["urgentTerms"] == ["fraud"]
    assert page["nodes"][0]["priority"]["wordHours"] == 24
    assert [each["priority"] for each in own["nodes"]] == [None, None]
    assert own["totalCount"] == 3
    assert [(each["ticket"] or {}).get("id") for each in taken] == [angry, calm, None]
    assert refusals(taken[2]) == [("NOT_FOUND", "id")]
    assert again[0]["ticket"] == {"id": angry, "assignee": {"id": id_of(other.account)}}
    assert (refusals(again[1]), refusals(ended)) == ([("TAKEN", "id")], [("WRONG_STATE", "id")])
    assert len(counted.texts) == 2


async def test_a_ticket_of_a_release_that_did_not_rank_is_ranked(case: TicketCase, shop: Shop) -> None:
    ticket = await open_ticket(case, description="Urgent!")
    async with shop.database.writes.begin() as session:
        row = await session.scalar(select(Ticket).with_for_update())
        assert row
        row.attend_by, row.word_hours, row.urgent_terms = None, 0, []
    assert (await case.agent.get(LIST))["tickets"]["nodes"] == []
    ranked = [await Scheduler(shop, [TICKETS_UNRANKED]).run_once() for _ in "ab"]

    assert ranked == [1, 0]
    assert [each["id"] for each in (await case.agent.get(LIST))["tickets"]["nodes"]] == [ticket]


async def test_twenty_agents_who_take_the_next_ticket_together_never_get_the_same(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        agents = [await create_account(session, role=Role.SUPPORT) for _ in range(20)]
        for _ in range(15):
            await create_ticket(session, now=shop.clock())

    async def take(agent: Account) -> int | None:
        try:
            async with shop.database.writes.begin() as session:
                return (await take_ticket(session, None, cause=Cause(shop.clock(), agent.id))).id
        except NotFound:
            return None

    taken = [ticket for ticket in await asyncio.gather(*map(take, agents)) if ticket is not None]

    assert len(taken) == len(set(taken)) == 15
    async with shop.database.reads() as session:
        holders = select(func.count(Ticket.assignee_id.distinct())).where(Ticket.assignee_id.is_not(None))
        assert await session.scalar(holders) == 15


async def test_two_workers_give_nobody_more_than_their_limit(
    case: TicketCase, clients: Clients, shop: Shop
) -> None:
    manager, agent = await clients.staff(Role.MANAGER), await clients.staff(Role.SUPPORT)
    assert agent.account
    await save(manager, agent, limit=3)
    async with shop.database.writes.begin() as session:
        for _ in range(8):
            await create_ticket(session, now=shop.clock())
    await asyncio.gather(*(give(shop) for _ in range(4)))
    async with shop.database.reads() as session:
        held = select(func.count(Ticket.id)).where(Ticket.assignee_id == agent.account.id)
        assert await session.scalar(held) == 3
