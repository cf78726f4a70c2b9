"""Questions about no order: asked by customers, written down by the staff, and handled as any question."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from events.aftersales import act_on_ticket
from events.shop import Shop
from models import Account, ArticleDay, Event, Notice, NoticeKind, Role, Ticket, TicketStatus, TicketType
from resolvers.ids import global_id, row_id
from tests.api.aftersales.documents import TicketCase, command, open_ticket
from tests.api.aftersales.test_merging import MERGE, SEEN, SPLIT
from tests.api.aftersales.test_proposed_answer import FORECAST, PROPOSED
from tests.api.aftersales.test_questions import ASK as OPEN
from tests.api.aftersales.test_questions import question
from tests.api.aftersales.test_ticket_report import FILES, days_of, read_report
from tests.api.aftersales.test_ticket_screen import read_screen
from tests.api.order.test_guests import order_as_guest
from tests.api.test_erasure import ERASE, EXPORT
from tests.clients import Client, Clients
from tests.conftest import Clock
from tests.factories.account import PASSWORD
from tests.factories.aftersales import create_media
from tests.factories.knowledge import create_article
from tests.given import codes, id_of, refusals
from tests.observe import assert_books_agree, read_all_rows, run_until_idle

ASK = """mutation($input: QuestionAskInput!) { questionAsk(input: $input) {
  ticket { id number type reason status channel description refund { amount } order { id } customer { id }
    media { id } lines { quantity } }
  userErrors { code field message } } }"""
TEXT = "Do you ship to Lhasa?"


async def ask(client: Client, key: str = "lhasa", **more: Any) -> dict[str, Any]:
    return await client.do(ASK, **({"description": TEXT, "idempotencyKey": key} | more))


async def asked(client: Client, key: str = "lhasa", **more: Any) -> str:
    payload = await ask(client, key, **more)
    assert payload["userErrors"] == []
    found: str = payload["ticket"]["id"]
    return found


def account_id(client: Client) -> str:
    assert client.account is not None
    return global_id("Account", client.account.id)


async def count_tickets(shop: Shop) -> int:
    async with shop.database.reads() as session:
        return await session.scalar(select(func.count(Ticket.id))) or 0


async def test_a_customer_who_never_ordered_asks_is_answered_and_the_question_closes_by_itself(
    clients: Clients, shop: Shop, clock: Clock
) -> None:
    customer, agent = await clients.customer(), await clients.staff(Role.SUPPORT)
    opened = await ask(customer)
    again = await ask(customer)
    ticket = opened["ticket"]["id"]
    await run_until_idle(shop)
    taken = await agent.do(command("ticketTake"), id=ticket)
    answered = await agent.do(command("ticketMessageAdd"), id=ticket, body="Yes, in a week.")
    clock.tick(timedelta(days=7, seconds=1))
    await run_until_idle(shop)
    clock.tick(timedelta(days=1, seconds=1))
    await run_until_idle(shop)
    customer = await clients.customer(customer.account)
    rated = await customer.do(command("ticketRate"), id=ticket, rating=5)
    seen = (await customer.get("{ tickets { nodes { id status order { id } timeline { name } } } }"))[
        "tickets"
    ]

    assert opened["ticket"] == {
        "id": ticket,
        "number": opened["ticket"]["number"],
        "type": "QUESTION",
        "reason": "QUESTION",
        "status": "APPLIED",
        "channel": "ONLINE",
        "description": TEXT,
        "refund": {"amount": "0.00"},
        "order": None,
        "customer": {"id": account_id(customer)},
        "media": [],
        "lines": [],
    }
    assert again["ticket"]["id"] == ticket
    assert (codes(taken), answered["ticket"]["status"], codes(rated)) == ([], "ANSWERED", [])
    assert seen["nodes"] == [
        {
            "id": ticket,
            "status": "COMPLETED",
            "order": None,
            "timeline": [
                {"name": f"ticket.{name}"} for name in ("opened", "assigned", "message", "closed", "rated")
            ],
        }
    ]
    async with shop.database.reads() as session:
        notices = select(Notice.kind, Notice.facts).order_by(Notice.id)
        found = [tuple(row) for row in await session.execute(notices)]
    number = {"number": opened["ticket"]["number"]}
    assert found == [
        (NoticeKind.TICKET_OPENED, number),
        (NoticeKind.TICKET_ANSWERED, number),
        (NoticeKind.TICKET_RATING, number),
    ]
    await assert_books_agree(shop)


async def test_staff_write_down_what_a_customer_asks_by_phone_or_mail(clients: Clients, shop: Shop) -> None:
    customer, agent = await clients.customer(), await clients.staff(Role.SUPPORT)

    called = await ask(agent, customerId=account_id(customer), channel="PHONE")
    unsaid = await ask(agent, "second", customerId=account_id(customer))
    own = await ask(customer, "own", customerId=account_id(customer))
    seen = (await customer.get("{ tickets { nodes { id channel } } }"))["tickets"]["nodes"]

    assert called["ticket"]["customer"] == unsaid["ticket"]["customer"] == {"id": account_id(customer)}
    assert [each["channel"] for each in seen] == ["ONLINE", "OTHER", "PHONE"]
    assert own["ticket"]["id"] == seen[0]["id"]
    await run_until_idle(shop)
    async with shop.database.reads() as session:
        notices = select(func.count(Notice.id)).where(Notice.kind == NoticeKind.TICKET_OPENED)
        assert await session.scalar(notices) == 3
    await assert_books_agree(shop)


async def test_nobody_asks_for_others_and_a_foreign_customer_is_like_a_missing_one(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    customer, other = await clients.customer(), await clients.customer()
    agent, clerk = await clients.staff(Role.SUPPORT), await clients.staff(Role.WAREHOUSE)
    left = await clients.customer()
    assert left.account is not None
    await session.execute(
        update(Account).where(Account.id == left.account.id).values(disabled_at=shop.clock())
    )
    await session.commit()
    missing = global_id("Account", 10**9)

    refused = [
        await ask(customer, customerId=account_id(other)),
        await ask(customer, customerId=missing),
        await ask(agent, customerId=missing),
        await ask(agent, customerId=account_id(agent)),
        await ask(agent, customerId=account_id(left)),
    ]
    unnamed = await ask(agent)
    forged = await ask(customer, channel="PHONE")
    unpermitted = await ask(clerk, customerId=account_id(customer))
    guest = await clients.guest().ask(ASK, input={"description": TEXT, "idempotencyKey": "k"})

    assert [refusals(each) for each in refused] == [[("NOT_FOUND", "customerId")]] * 5
    assert refusals(unnamed) == [("INVALID", "customerId")]
    assert (codes(forged), codes(unpermitted)) == (["FORBIDDEN"], ["FORBIDDEN"])
    assert guest["data"]["questionAsk"]["userErrors"][0]["code"] == "UNAUTHENTICATED"
    assert await count_tickets(shop) == 0


async def test_a_guest_asks_about_their_order_only_and_nobody_asks_for_them(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    holder, placed = await order_as_guest(clients, session)
    agent = await clients.staff(Role.SUPPORT)
    guest_id = await session.scalar(select(Account.id).where(Account.role == Role.GUEST_BUYER))
    await session.rollback()  # SQLite has one writer
    assert guest_id is not None

    by_guest = await ask(holder)
    for_guest = await ask(agent, customerId=global_id("Account", guest_id))
    about_order = await holder.do(OPEN, **question(placed["id"]))

    assert codes(by_guest) == ["FORBIDDEN"]
    assert refusals(for_guest) == [("NOT_FOUND", "customerId")]
    assert (codes(about_order), await count_tickets(shop)) == ([], 1)


async def test_a_question_has_a_text_and_pictures_of_its_customer(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    customer, other = await clients.customer(), await clients.customer()
    agent = await clients.staff(Role.SUPPORT)
    assert customer.account
    assert other.account
    own = await create_media(session, uploader_id=customer.account.id, now=shop.clock())
    foreign = await create_media(session, uploader_id=other.account.id, now=shop.clock())
    await session.commit()
    picture = global_id("Media", own.id)

    refused = [
        await ask(customer, description=" \n "),
        await ask(customer, description="x" * 2_001),
        await ask(customer, mediaIds=[global_id("Media", foreign.id)]),
        await ask(customer, mediaIds=[picture, picture]),
        await ask(customer, mediaIds=[picture] * 10),
        await ask(customer, ""),
    ]
    before = await count_tickets(shop)
    shown = await ask(agent, description="x" * 2_000, mediaIds=[picture], customerId=account_id(customer))

    assert [refusals(each) for each in refused] == [
        [("INVALID", "description")],
        [("INVALID", "description")],
        [("NOT_FOUND", "mediaIds.0")],
        [("INVALID", "mediaIds")],
        [("LIMIT_REACHED", "mediaIds")],
        [("INVALID", "idempotencyKey")],
    ]
    assert before == 0
    assert shown["ticket"]["media"] == [{"id": picture}]


async def test_a_key_asks_one_thing(clients: Clients, shop: Shop) -> None:
    customer = await clients.customer()
    first = await asked(customer)

    other = await ask(customer, description="Do you ship to Mars?")

    assert codes(other) == ["KEY_REUSED"]
    assert (await ask(customer))["ticket"]["id"] == first
    assert await count_tickets(shop) == 1


@pytest.mark.settings(open_questions_limit=2, questions_per_day=3)
async def test_a_customer_has_so_many_open_at_once_and_asks_so_many_in_a_day(
    clients: Clients, shop: Shop, clock: Clock
) -> None:
    customer, agent = await clients.customer(), await clients.staff(Role.SUPPORT)
    first, _ = await asked(customer, "1"), await asked(customer, "2")
    full = await ask(customer, "3")
    by_phone = await ask(agent, "phone", customerId=account_id(customer), channel="PHONE")
    for ticket in (first, by_phone["ticket"]["id"]):
        await customer.do(command("ticketCancel"), id=ticket)
    third = await asked(customer, "3")
    await customer.do(command("ticketCancel"), id=third)
    today = await ask(customer, "4")
    repeated = await ask(customer, "3")
    clock.tick(timedelta(hours=24))
    customer = await clients.customer(customer.account)
    tomorrow = await ask(customer, "4")

    assert (codes(full), full["userErrors"][0]["message"]) == (
        ["LIMIT_REACHED"],
        "At most 2 questions about no order are open at once.",
    )
    assert codes(by_phone) == []
    assert (codes(today), today["userErrors"][0]["message"]) == (
        ["LIMIT_REACHED"],
        "At most 3 questions about no order are asked in a day.",
    )
    assert repeated["ticket"]["id"] == third
    assert codes(tomorrow) == []


@pytest.mark.settings(questions_per_day=1)
async def test_what_the_staff_write_down_leaves_a_customer_the_questions_of_their_day(
    clients: Clients, shop: Shop
) -> None:
    customer, agent = await clients.customer(), await clients.staff(Role.SUPPORT)
    for channel in ("PHONE", "MAIL", "OTHER", None):
        asked_for = await ask(agent, f"{channel}", customerId=account_id(customer), channel=channel)
        assert codes(asked_for) == []
    before = await read_all_rows(shop)
    online = await ask(agent, "online", customerId=account_id(customer), channel="ONLINE")
    after = await read_all_rows(shop)

    assert (refusals(online), online["userErrors"][0]["message"]) == (
        [("INVALID", "channel")],
        "Customers ask online by themselves.",
    )
    assert after == before
    assert codes(await ask(customer, "own", channel="ONLINE")) == []
    assert codes(await ask(customer, "another")) == ["LIMIT_REACHED"]


@pytest.mark.settings(open_questions_limit=0)
async def test_a_shop_may_leave_such_questions_to_its_staff(clients: Clients) -> None:
    customer, agent = await clients.customer(), await clients.staff(Role.SUPPORT)

    assert codes(await ask(customer)) == ["LIMIT_REACHED"]
    assert codes(await ask(agent, customerId=account_id(customer))) == []


@pytest.mark.settings(open_questions_limit=3)
async def test_who_asks_many_things_at_once_gets_no_more_than_the_limit(clients: Clients, shop: Shop) -> None:
    customer = await clients.customer()

    answers = await asyncio.gather(*(ask(customer, f"{number}") for number in range(8)))

    assert sorted(codes(each) for each in answers) == [[]] * 3 + [["LIMIT_REACHED"]] * 5
    assert await count_tickets(shop) == 3


async def test_whoever_asks_the_same_at_the_same_time_asks_once(clients: Clients, shop: Shop) -> None:
    customer = await clients.customer()

    answers = await asyncio.gather(*(ask(customer) for _ in range(5)))

    assert len({each["ticket"]["id"] for each in answers if each["ticket"]}) == 1
    assert await count_tickets(shop) == 1


async def test_a_question_of_others_is_like_a_missing_one(clients: Clients) -> None:
    customer, other = await clients.customer(), await clients.customer()
    ticket, missing = await asked(customer), global_id("Ticket", 10**9)
    read = "query($id: ID!) { ticket(id: $id) { id } node(id: $id) { id } }"

    seen = [await other.get(read, id=each) for each in (ticket, missing)]
    done = [
        await other.do(command(name), id=each, **more)
        for each in (ticket, missing)
        for name, more in (
            ("ticketMessageAdd", {"body": "Hm."}),
            ("ticketCancel", {}),
            ("ticketClose", {}),
            ("ticketRate", {"rating": 1}),
            ("ticketEscalate", {}),
        )
    ]

    assert seen == [{"ticket": None, "node": None}] * 2
    assert [refusals(each) for each in done] == [[("NOT_FOUND", "id")]] * 10
    assert (await customer.get(read, id=ticket))["ticket"] == {"id": ticket}


async def test_what_needs_an_order_is_refused_by_name_and_changes_nothing(
    clients: Clients, shop: Shop
) -> None:
    customer, manager = await clients.customer(), await clients.staff(Role.MANAGER)
    ticket = await asked(customer)
    await run_until_idle(shop)
    before = (await manager.get(SEEN, id=ticket))["ticket"]
    by_staff: tuple[tuple[str, dict[str, Any]], ...] = (
        ("ticketAgree", {}),
        ("ticketRefuse", {"reason": "No."}),
        ("ticketDecide", {"agreed": True, "reason": "Yes."}),
        ("ticketRefundRetry", {}),
        ("ticketReturnReceive", {"units": []}),
        ("ticketRepairFinish", {"units": []}),
    )
    by_customer: tuple[tuple[str, dict[str, Any]], ...] = (
        ("ticketReapply", {"description": "Please."}),
        ("ticketEscalate", {}),
        ("ticketRefundChoose", {"refundTo": "STORE_CREDIT"}),
        ("ticketReplacementChoose", {"choice": "MONEY"}),
        ("ticketDifferencePay", {"method": "SANDBOX"}),
        ("ticketReturnShip", {"carrier": "OTHER", "trackingNumber": "B1", "carrierName": "Post"}),
        ("ticketCollectionCancel", {}),
    )

    answers = [
        *[await manager.do(command(name), id=ticket, **terms) for name, terms in by_staff],
        *[await customer.do(command(name), id=ticket, **terms) for name, terms in by_customer],
        await manager.do(SPLIT, id=ticket, lines=[], idempotencyKey="s"),
    ]
    forecast = await manager.get(FORECAST, id=ticket)

    assert {tuple(refusals(each)) for each in answers} == {(("WRONG_STATE", "id"),)}
    assert answers[0]["userErrors"][0]["message"] == (
        "This question is about no order: it is answered with a message."
    )
    assert forecast == {"ticketRuleForecast": None}
    assert (await manager.get(SEEN, id=ticket))["ticket"] == before


async def test_what_nobody_answers_in_time_is_a_task_of_the_managers_once_each_time(
    clients: Clients, shop: Shop, clock: Clock
) -> None:
    customer, manager = await clients.customer(), await clients.staff(Role.MANAGER)
    ticket = await asked(customer, description="This is a scam! Do you ship to Lhasa?")
    overdue = "query($id: ID!) { ticket(id: $id) { status overdueSince overdueObstacle timeline { name } } }"

    clock.tick(timedelta(days=2, seconds=1))
    await run_until_idle(shop)
    await run_until_idle(shop)
    customer = await clients.customer(customer.account)
    manager = await clients.staff(Role.MANAGER, manager.account)
    found = (await manager.get(overdue, id=ticket))["ticket"]
    listed = await manager.get("{ tickets(filter: {overdue: true}, sort: PRIORITY) { nodes { id } } }")
    counts = (await manager.get("{ workQueueCounts { queue count } }"))["workQueueCounts"]
    handed = await manager.do(
        command("ticketAssign"), id=ticket, assigneeId=account_id(manager), note="Ask the carrier."
    )
    answered = await manager.do(command("ticketMessageAdd"), id=ticket, body="Yes.")
    closed = await customer.do(command("ticketClose"), id=ticket)

    assert (found["status"], found["overdueObstacle"]) == ("APPLIED", "NO_RULE")
    assert [each["name"] for each in found["timeline"]] == ["ticket.opened", "ticket.overdue"]
    assert listed["tickets"]["nodes"] == [{"id": ticket}]
    assert {each["queue"]: each["count"] for each in counts if each["count"]} == {
        "NEW": 1,
        "OVERDUE": 1,
        "UNASSIGNED": 1,
    }
    assert [codes(each) for each in (handed, answered, closed)] == [[], [], []]
    assert closed["ticket"]["status"] == "COMPLETED"
    await assert_books_agree(shop)


@pytest.mark.parametrize(("answered", "name"), [(False, "ticket.overdue"), (True, "ticket.closed")])
async def test_of_several_workers_one_acts_on_a_question_that_is_due(
    clients: Clients, shop: Shop, clock: Clock, answered: bool, name: str
) -> None:
    customer, agent = await clients.customer(), await clients.staff(Role.SUPPORT)
    ticket = await asked(customer)
    if answered:
        await agent.do(command("ticketMessageAdd"), id=ticket, body="Yes.")
    clock.tick(timedelta(days=7, seconds=1))

    await asyncio.gather(*(act_on_ticket(shop, row_id(ticket, "Ticket")) for _ in range(4)))

    async with shop.database.reads() as session:
        assert await session.scalar(select(func.count(Event.id)).where(Event.name == name)) == 1


async def test_the_shop_gives_a_question_to_who_speaks_the_language_of_its_customer(
    clients: Clients, shop: Shop
) -> None:
    customer, agent, manager = [
        await clients.staff(role) for role in (Role.CUSTOMER, Role.SUPPORT, Role.MANAGER)
    ]
    save = """mutation($input: TicketAgentSaveInput!) { ticketAgentSave(input: $input) {
      ticketAgent { version } userErrors { code } } }"""
    skills = [{"type": "QUESTION", "language": language} for language in ("zh", "en")]
    saved = await manager.do(save, accountId=account_id(agent), skills=skills, openLimit=5)
    assert codes(saved) == []

    ticket = await asked(customer)
    await run_until_idle(shop)

    assigned = "query($id: ID!) { ticket(id: $id) { assignee { id } } }"
    found = (await manager.get(assigned, id=ticket))["ticket"]["assignee"]
    assert found == {"id": account_id(agent)}


async def test_the_queue_and_the_followers_of_a_question_see_each_change(
    clients: Clients, shop: Shop
) -> None:
    customer, agent = await clients.customer(), await clients.staff(Role.SUPPORT)
    ticket = await asked(customer)
    await run_until_idle(shop)
    watched = (
        "subscription($id: ID!) { ticketUpdates(id: $id, after: 1) { version name ticket { order { id } } } }"
    )
    queue = "subscription { workQueue(current: true) { change subject { id } } }"

    async with customer.watch(watched, id=ticket) as follower, agent.watch(queue) as desk:
        waiting = (await desk.next())["data"]["workQueue"]
        current = (await desk.next())["data"]["workQueue"]
        await agent.do(command("ticketMessageAdd"), id=ticket, body="Yes.")
        await run_until_idle(shop)
        update = (await follower.next())["data"]["ticketUpdates"]
        gone = (await desk.next())["data"]["workQueue"]

    assert (waiting["change"], waiting["subject"]) == ("WAITING", {"id": ticket})
    assert (current["change"], gone["change"], gone["subject"]) == ("CURRENT", "GONE", {"id": ticket})
    assert update == {"version": 2, "name": "ticket.message", "ticket": {"order": None}}


async def test_the_screen_of_a_question_has_no_order_and_names_what_it_cannot_fill(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    customer, agent = await clients.customer(), await clients.staff(Role.SUPPORT)
    body = "We ship to Lhasa within a week of {ordered}, {customer}: {order}."
    await create_article(session, slug="lhasa", title="Do you ship to Lhasa?", body=body)
    await session.commit()
    ticket = await asked(customer)
    await agent.get('{ articleSuggestions(query: "Lhasa") { id } }')  # the first search reads all articles
    async with shop.database.reads() as reads:
        row = (await reads.scalars(select(Ticket))).one()
    assert customer.account is not None
    await read_screen(agent, shop, row.id, customer.account.id)

    shown = await read_screen(agent, shop, row.id, customer.account.id)
    proposed = (await agent.get(PROPOSED, id=ticket))["ticket"]["proposedAnswer"]

    assert shown["ticket"]["order"] is None
    assert [each["slug"] for each in shown["ticket"]["suggestedArticles"]] == ["lhasa"]
    assert [each["number"] for each in shown["customer"]["tickets"]] == [row.number]
    assert shown["ticketRuleForecast"] is None
    assert proposed["unfilled"] == ["ordered", "order"]
    hello, quoted, about = proposed["text"].split("\n\n")
    assert hello == f"Hello {customer.account.name},"
    assert quoted == f"We ship to Lhasa within a week of {{ordered}}, {customer.account.name}: {{order}}."
    assert about == f"This is about your request {row.number}."


async def test_a_canned_text_keeps_what_only_an_order_has(clients: Clients) -> None:
    customer, agent = await clients.customer(), await clients.staff(Role.SUPPORT)
    ticket = await asked(customer)
    save = """mutation($input: CannedAnswerSaveInput!) { cannedAnswerSave(input: $input) {
      cannedAnswer { id } userErrors { code } } }"""
    text = {"code": "both", "language": "en", "title": "Both", "body": "{ticket}: {order}, {refund}, {agent}"}
    saved = (await agent.do(save, **text))["cannedAnswer"]["id"]
    filled = "query($id: ID!, $ticketId: ID!) { cannedAnswerText(id: $id, ticketId: $ticketId) }"

    found = (await agent.get(filled, id=saved, ticketId=ticket))["cannedAnswerText"]
    number = (await agent.get(SEEN, id=ticket))["ticket"]["number"]

    assert agent.account is not None
    assert found == f"{number}: {{order}}, {{refund}}, {agent.account.name}"


async def test_a_question_asked_twice_goes_on_as_the_other_or_as_a_claim_of_its_customer(
    case: TicketCase, shop: Shop
) -> None:
    first, second, third = [await asked(case.customer, key) for key in "abc"]
    await case.customer.do(command("ticketMessageAdd"), id=second, body="Well?")
    claim = await open_ticket(case)
    suggested = [(await case.agent.get(SEEN, id=each))["ticket"]["duplicates"] for each in (first, claim)]

    moved = await case.agent.do(MERGE, id=second, intoId=first, moveUnits=True)
    merged = await case.agent.do(MERGE, id=second, intoId=first)
    again = await case.agent.do(MERGE, id=second, intoId=first)
    into_claim = await case.agent.do(MERGE, id=third, intoId=claim)
    backwards = await case.agent.do(MERGE, id=claim, intoId=first)
    later = await case.customer.do(command("ticketMessageAdd"), id=second, body="Hello?")
    seen = (await case.agent.get(SEEN, id=first))["ticket"]
    await run_until_idle(shop)

    assert [[each["id"] for each in found] for found in suggested] == [
        [second, third],
        [first, second, third],
    ]
    assert refusals(moved) == [("WRONG_STATE", "moveUnits")]
    assert (merged["ticket"], into_claim["ticket"]) == ({"id": first}, {"id": claim})
    assert refusals(again) == [("WRONG_STATE", "id")]
    assert refusals(backwards) == [("WRONG_STATE", "intoId")]
    assert later["ticket"]["id"] == first
    assert [each["body"] for each in seen["messages"]] == ["Well?", "Hello?"]
    assert [each["id"] for each in (await case.agent.get(SEEN, id=claim))["ticket"]["merged"]] == [third]
    await assert_books_agree(shop)


async def test_questions_of_two_customers_are_not_merged(clients: Clients) -> None:
    agent = await clients.staff(Role.SUPPORT)
    first, second = [await asked(await clients.customer()) for _ in range(2)]

    assert refusals(await agent.do(MERGE, id=first, intoId=second)) == [("WRONG_STATE", "intoId")]


async def test_of_two_merges_of_the_same_questions_at_once_one_is_done(clients: Clients, shop: Shop) -> None:
    customer, agent = await clients.customer(), await clients.staff(Role.SUPPORT)
    first, second = [await asked(customer, key) for key in "ab"]

    answers = await asyncio.gather(
        agent.do(MERGE, id=first, intoId=second), agent.do(MERGE, id=second, intoId=first)
    )

    assert sorted(codes(each) for each in answers) == [[], ["WRONG_STATE"]]
    async with shop.database.reads() as session:
        merged = select(func.count(Ticket.id)).where(Ticket.merged_into_id.is_not(None))
        assert await session.scalar(merged) == 1
    await assert_books_agree(shop)


async def test_an_agent_who_leaves_loses_the_questions_they_have(clients: Clients, shop: Shop) -> None:
    customer, agent = await clients.customer(), await clients.staff(Role.SUPPORT)
    admin = await clients.staff(Role.ADMIN)
    ticket = await asked(customer)
    await agent.do(command("ticketTake"), id=ticket)
    disable = (
        "mutation($input: AccountDisableInput!) { accountDisable(input: $input) { userErrors { code } } }"
    )

    assert codes(await admin.do(disable, id=account_id(agent))) == []

    assigned = "query($id: ID!) { ticket(id: $id) { assignee { name } } }"
    assert (await admin.get(assigned, id=ticket))["ticket"] == {"assignee": None}


async def test_only_a_question_may_be_about_no_order(case: TicketCase, session: AsyncSession) -> None:
    await open_ticket(case)

    with pytest.raises(IntegrityError):
        await session.execute(update(Ticket).values(order_id=None))


async def test_the_report_counts_what_is_about_no_order_before_and_after_its_day_is_kept(
    clients: Clients, shop: Shop, clock: Clock
) -> None:
    customer, agent = await clients.customer(), await clients.staff(Role.SUPPORT)
    days = days_of(shop, before=0)
    ticket = await asked(customer)
    await agent.do(command("ticketTake"), id=ticket)
    clock.tick(timedelta(minutes=10))
    await agent.do(command("ticketMessageAdd"), id=ticket, body="Yes.")
    await customer.do(command("ticketClose"), id=ticket)

    reports, files = [], []
    for later in (timedelta(), timedelta(days=2)):
        clock.tick(later)
        await run_until_idle(shop)
        manager = await clients.staff(Role.MANAGER)
        reports.append(await read_report(manager, days))
        files.append((await manager.get(FILES, **days))["ticketReport"])

    for report in reports:
        total = report["total"]
        assert (total["opened"], total["resolved"], total["reopened"]) == (1, 1, 0)
        assert (total["firstAnswer"]["count"], total["firstAnswer"]["median"]) == (1, 600)
        assert [report[part] for part in ("reasons", "products", "warehouses", "carriers")] == [[]] * 4
        assert [each["tickets"] for each in report["agents"]] == [1]
    assert [len(each["weeks"].splitlines()) for each in files] == [2, 2]
    await assert_books_agree(shop)


async def test_an_export_has_the_questions_of_a_customer_and_erasing_leaves_no_word_of_them(
    clients: Clients, shop: Shop, clock: Clock, session: AsyncSession
) -> None:
    mei, agent = await clients.customer(), await clients.staff(Role.SUPPORT)
    ticket = await asked(mei, description="Does Meimei live in Lhasa?")
    await mei.do(command("ticketMessageAdd"), id=ticket, body="Meimei waits.")
    await run_until_idle(shop)

    export = (await mei.do(EXPORT, password=PASSWORD))["accountExport"]
    tables = (await clients.http.get(export["url"])).json()["tables"]
    open_yet = await mei.do(ERASE, password=PASSWORD)
    await agent.do(command("ticketMessageAdd"), id=ticket, body="Meimei does.")
    await mei.do(command("ticketClose"), id=ticket)
    erased = await mei.do(ERASE, password=PASSWORD)
    clock.tick(timedelta(hours=2))
    await run_until_idle(shop)

    agent = await clients.staff(Role.SUPPORT, agent.account)
    seen = (await agent.get(SEEN, id=ticket))["ticket"]
    assert [row["description"] for row in tables["tickets"]] == ["Does Meimei live in Lhasa?"]
    assert [row["order_id"] for row in tables["tickets"]] == [None]
    assert [row["body"] for row in tables["ticket_messages"]] == ["Meimei waits."]
    assert open_yet["userErrors"][0]["message"] == f"Request {seen['number']} is not finished yet."
    assert codes(erased) == []
    assert [row for row in await read_all_rows(shop) if "Meimei" in row] == []
    await assert_books_agree(shop)


async def test_nothing_is_asked_for_an_account_that_is_being_erased(clients: Clients, shop: Shop) -> None:
    agent = await clients.staff(Role.SUPPORT)
    for _ in range(4):
        customer = await clients.customer()

        erased, written = await asyncio.gather(
            customer.do(ERASE, password=PASSWORD),
            ask(agent, account_id(customer), customerId=account_id(customer)),
        )

        assert sorted([codes(erased), codes(written)]) in (
            [[], ["NOT_FOUND"]],
            [[], ["WRONG_STATE"]],
        )


async def test_a_reading_about_an_order_is_counted_beside_questions_about_none(
    case: TicketCase, shop: Shop, clock: Clock, session: AsyncSession
) -> None:
    article = await create_article(session, slug="lid", title="The lid", body="Turn it.")
    await session.commit()
    line = global_id("OrderLine", case.line.id)
    read = "mutation($input: ArticleReadInput!) { articleRead(input: $input) { userErrors { code } } }"
    assert codes(await case.customer.do(read, id=id_of(article), orderLineId=line)) == []
    await asked(case.customer)

    clock.tick(timedelta(days=1, minutes=10))
    await run_until_idle(shop)

    async with shop.database.reads() as reads:
        days = (await reads.execute(select(ArticleDay.order_reads, ArticleDay.deflected))).all()
    assert [tuple(each) for each in days] == [(1, 1)]
    await assert_books_agree(shop)


async def test_all_that_is_told_of_a_question_names_no_order(clients: Clients, shop: Shop) -> None:
    customer = await clients.customer()
    await asked(customer)

    async with shop.database.reads() as session:
        event = (await session.scalars(select(Event).where(Event.name == "ticket.opened"))).one()
        row = (await session.scalars(select(Ticket))).one()
    assert customer.account is not None
    assert event.payload["order_id"] is None
    assert event.account_id == customer.account.id
    assert (row.type, row.status, row.order_id) == (TicketType.QUESTION, TicketStatus.APPLIED, None)
