"""The thread of a ticket over the API: pictures, read marks, notes with mentions, texts to answer with."""

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.personal_data.export import export_account
from events.shop import Shop
from models import (
    Account,
    Event,
    Notice,
    NoticeKind,
    Role,
    TicketMention,
    TicketMessage,
    TicketMessageMedia,
)
from resolvers.ids import global_id
from tests.api.aftersales.documents import TicketCase, open_ticket
from tests.clients import Client, Clients
from tests.factories.aftersales import create_media
from tests.given import codes, id_of, refusals
from tests.observe import count_statements, run_until_idle

SAY = """mutation($input: TicketMessageAddInput!) { ticketMessageAdd(input: $input) {
  ticket { messages { id body internal media { id } mentions { id } read } unread }
  userErrors { code field } } }"""
READ = """mutation($input: TicketReadInput!) { ticketRead(input: $input) {
  ticket { unread } userErrors { code field } } }"""
THREAD = """query($id: ID!) { ticket(id: $id) { version unread
  messages { id body internal media { id } mentions { id } read } } }"""
NODE = "query($id: ID!) { node(id: $id) { id } }"
WATCH = "subscription($id: ID!) { ticketUpdates(id: $id, after: 0) { name ticket { messages { body } } } }"


async def thread(somebody: Client, ticket: str) -> dict[str, Any]:
    found: dict[str, Any] = (await somebody.get(THREAD, id=ticket))["ticket"]
    return found


async def picture_of(session: AsyncSession, account: Account | None) -> str:
    media = await create_media(session, uploader_id=account.id if account else None)
    await session.commit()
    return global_id("Media", media.id)


async def test_messages_bring_pictures_of_their_writers(case: TicketCase, session: AsyncSession) -> None:
    ticket = await open_ticket(case)
    own = await picture_of(session, case.customer.account)
    foreign = await picture_of(session, case.agent.account)

    sent = await case.customer.do(SAY, id=ticket, body="Look.", mediaIds=[own])
    refused = [
        await case.customer.do(SAY, id=ticket, body="Look.", mediaIds=ids)
        for ids in ([foreign], [own, own], [own] * 1_000, ["nonsense"])
    ]

    [message] = sent["ticket"]["messages"]
    assert message["media"] == [{"id": own}]
    assert [refusals(each) for each in refused] == [
        [("NOT_FOUND", "mediaIds.0")],
        [("INVALID", "mediaIds")],
        [("LIMIT_REACHED", "mediaIds")],
        [("NOT_FOUND", "mediaIds.0")],
    ]
    assert [each["body"] for each in (await thread(case.agent, ticket))["messages"]] == ["Look."]


async def test_a_message_is_a_text_of_limited_length_and_never_markup(case: TicketCase) -> None:
    ticket = await open_ticket(case)
    hostile = "<script>alert(1)</script>"

    sent = await case.customer.do(SAY, id=ticket, body=hostile)
    long, empty = [await case.customer.do(SAY, id=ticket, body=body) for body in ("x" * 4_001, " \n ")]

    assert sent["ticket"]["messages"][0]["body"] == hostile
    assert refusals(long) == refusals(empty) == [("INVALID", "body")]


async def test_each_side_sees_what_the_other_has_read(case: TicketCase) -> None:
    ticket = await open_ticket(case)
    sent = await case.customer.do(SAY, id=ticket, body="Hello?")
    first = sent["ticket"]["messages"][0]["id"]
    before = await thread(case.agent, ticket)
    marked = await case.agent.do(READ, id=ticket, messageId=first)
    answered = await case.agent.do(SAY, id=ticket, body="Good day.")
    second = answered["ticket"]["messages"][1]["id"]
    to_customer = await thread(case.customer, ticket)
    await case.customer.do(READ, id=ticket, messageId=second)
    back = await case.customer.do(READ, id=ticket, messageId=first)

    assert (sent["ticket"]["unread"], before["unread"], marked["ticket"]["unread"]) == (0, 1, 0)
    assert (to_customer["unread"], [each["read"] for each in to_customer["messages"]]) == (1, [True, False])
    assert back["ticket"]["unread"] == 0
    assert [each["read"] for each in (await thread(case.agent, ticket))["messages"]] == [True, True]


async def test_a_note_asks_others_of_the_staff_to_look_and_they_are_told(
    case: TicketCase, clients: Clients, shop: Shop
) -> None:
    ticket = await open_ticket(case)
    colleague, courier = await clients.staff(Role.WAREHOUSE), await clients.staff(Role.COURIER)
    assert colleague.account
    assert courier.account
    assert case.customer.account
    assert case.agent.account
    asked = [id_of(colleague.account), id_of(case.agent.account)]

    note = await case.agent.do(SAY, id=ticket, body="Is it back?", internal=True, mentionIds=asked)
    refused = [
        await case.agent.do(SAY, id=ticket, body="x", **wrong)
        for wrong in (
            {"mentionIds": asked},
            {"internal": True, "mentionIds": [id_of(courier.account)]},
            {"internal": True, "mentionIds": [id_of(case.customer.account)]},
            {"internal": True, "mentionIds": [asked[0]] * 21},
        )
    ]
    by_customer = await case.customer.do(SAY, id=ticket, body="x", mentionIds=asked)

    [message] = note["ticket"]["messages"]
    assert {each["id"] for each in message["mentions"]} == set(asked)
    assert [refusals(each) for each in refused] == [
        [("INVALID", "mentionIds")],
        [("NOT_FOUND", "mentionIds.0")],
        [("NOT_FOUND", "mentionIds.0")],
        [("LIMIT_REACHED", "mentionIds")],
    ]
    assert codes(by_customer) == ["FORBIDDEN"]
    async with shop.database.reads() as session:
        notices = select(Notice.account_id).where(Notice.kind == NoticeKind.TICKET_MENTIONED)
        assert (await session.scalars(notices)).all() == [colleague.account.id]


async def test_nothing_of_an_internal_note_reaches_a_customer_by_any_way(
    case: TicketCase, clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    ticket = await open_ticket(case)
    colleague = await clients.staff(Role.SUPPORT)
    assert case.customer.account
    assert colleague.account
    picture = await picture_of(session, case.agent.account)
    await run_until_idle(shop)
    async with shop.database.reads() as reading:
        before = await reading.scalar(select(func.count(Event.id)))
        notices = await reading.scalar(
            select(func.count(Notice.id)).where(Notice.account_id == case.customer.account.id)
        )

    note = await case.agent.do(
        SAY,
        id=ticket,
        body="SECRET: a liar.",
        internal=True,
        mediaIds=[picture],
        mentionIds=[id_of(colleague.account)],
    )
    await run_until_idle(shop)
    note_id = note["ticket"]["messages"][0]["id"]
    shown = await thread(case.customer, ticket)
    marked = await case.customer.do(READ, id=ticket, messageId=note_id)
    missing = await case.customer.do(READ, id=ticket, messageId=global_id("TicketMessage", 999_999))
    async with case.customer.watch(WATCH, id=ticket) as watch:
        update = await watch.answer()
    async with shop.database.reads() as reading:
        after = await reading.scalar(select(func.count(Event.id)))
        tables = await export_account(reading, case.customer.account.id)
        later_notices = await reading.scalar(
            select(func.count(Notice.id)).where(Notice.account_id == case.customer.account.id)
        )

    assert (shown["messages"], shown["unread"], shown["version"]) == ([], 0, 1)
    assert (await case.customer.get(NODE, id=note_id))["node"] is None
    assert refusals(marked) == refusals(missing) == [("NOT_FOUND", "messageId")]
    assert update["data"]["ticketUpdates"] == {"name": "ticket.opened", "ticket": {"messages": []}}
    assert (before, notices) == (after, later_notices)
    assert "SECRET" not in str(tables)
    assert {TicketMention.__tablename__, TicketMessageMedia.__tablename__}.isdisjoint(tables)
    assert tables[TicketMessage.__tablename__] == []


# --- texts to answer with

SAVE = """mutation($input: CannedAnswerSaveInput!) { cannedAnswerSave(input: $input) {
  cannedAnswer { id version archivedAt } userErrors { code field } } }"""
ARCHIVE = """mutation($input: CannedAnswerArchiveInput!) { cannedAnswerArchive(input: $input) {
  cannedAnswer { archivedAt } userErrors { code field } } }"""
LIST = """query($language: String, $archived: Boolean! = false) {
  cannedAnswers(language: $language, archived: $archived) { code language } }"""
FILLED = "query($id: ID!, $ticketId: ID!) { cannedAnswerText(id: $id, ticketId: $ticketId) }"
BODY = "Dear {customer}, of order {order} we refund {refund} ({ticket}). {agent}"


def answer(**changes: Any) -> dict[str, Any]:
    return {"code": "refund", "language": "en", "title": "Refund", "body": BODY} | changes


async def test_an_answer_is_filled_with_the_facts_of_a_ticket_and_these_are_not_read_again(
    case: TicketCase, session: AsyncSession
) -> None:
    ticket = await open_ticket(case, type="REFUND_ONLY")
    customer = await session.get_one(Account, case.order.account_id)
    agent = case.agent.account
    customer.name = "{refund} {agent}"
    await session.commit()
    saved = await case.agent.do(SAVE, **answer())
    answer_id = saved["cannedAnswer"]["id"]
    number = (await case.agent.get("query($id: ID!) { ticket(id: $id) { number } }", id=ticket))["ticket"]

    text = (await case.agent.get(FILLED, id=answer_id, ticketId=ticket))["cannedAnswerText"]
    foreign = (await case.agent.get(FILLED, id=answer_id, ticketId=answer_id))["cannedAnswerText"]
    refused = await case.customer.ask(FILLED, id=answer_id, ticketId=ticket)

    assert agent
    assert text == (
        f"Dear {{refund}} {{agent}}, of order {case.order.number} we refund 99.00 CNY"
        f" ({number['number']}). {agent.name}"
    )
    assert foreign is None
    assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_answers_are_kept_by_language_and_archived_without_touching_what_was_written(
    case: TicketCase,
) -> None:
    ticket = await open_ticket(case)
    english = await case.agent.do(SAVE, **answer())
    chinese = await case.agent.do(SAVE, **answer(language="zh", body="{customer}，您好"))
    id_ = english["cannedAnswer"]["id"]
    refused = [
        await case.agent.do(SAVE, **answer(**wrong))
        for wrong in (
            {},
            {"code": "x y"},
            {"code": "b", "language": "fr"},
            {"code": "b", "body": "{password}"},
            {"code": "b", "body": "x" * 4_001},
            {"id": id_, "version": 7},
        )
    ]
    archived = await case.agent.do(ARCHIVE, id=id_, version=1)
    lists = [(await case.agent.get(LIST, **which))["cannedAnswers"] for which in ({}, {"archived": True})]
    text = (await case.agent.get(FILLED, id=id_, ticketId=ticket))["cannedAnswerText"]
    again = await case.agent.do(SAVE, **answer(id=id_, version=1))

    assert chinese["userErrors"] == []
    assert [refusals(each) for each in refused] == [
        [("TAKEN", "code")],
        [("INVALID", "code")],
        [("INVALID", "language")],
        [("INVALID", "body")],
        [("INVALID", "body")],
        [("CONFLICT", "version")],
    ]
    assert archived["cannedAnswer"]["archivedAt"] is not None
    assert lists == [[{"code": "refund", "language": "zh"}], [{"code": "refund", "language": "en"}]]
    assert text is None
    assert again["cannedAnswer"] == {"id": id_, "version": 2, "archivedAt": None}


# --- statements

PAGE = """query($id: ID!) { ticket(id: $id) { number type status channel unread overdueSince
  ruleDecisions { rule { code } } lines { orderLine { title } } media { url }
  messages { body read fromStaff author { name } media { url } mentions { name } }
  timeline { name actor { name } } order { number } customer { name } assignee { name }
  refunds { status } replacements { id } } }"""
TWENTY = """{ tickets(first: 20) { nodes { number status dueAt overdueSince unread
  customer { name } assignee { name } lines { orderLine { title } } } } }"""


async def test_the_page_of_a_ticket_and_a_list_of_twenty_take_the_same_statements_for_any_length(
    case: TicketCase, session: AsyncSession
) -> None:
    tickets = [await open_ticket(case, idempotencyKey=str(number)) for number in range(3)]
    counts = []
    for messages in (1, 3):
        for ticket in tickets[:messages]:
            for _ in range(messages):
                await case.customer.do(SAY, id=ticket, body="Hm.")
                await case.agent.do(SAY, id=ticket, body="Hm.", internal=True)
        with count_statements(case.customer.clients.shop) as page:
            await case.agent.get(PAGE, id=tickets[0])
        with count_statements(case.customer.clients.shop) as listed:
            await case.agent.get(TWENTY)
        counts.append((page.total, listed.total))

    assert counts == [(5, 6), (5, 6)]
