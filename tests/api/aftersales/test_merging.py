"""Duplicates of tickets are merged, and units of a ticket are decided apart."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import select, text

from events.reactions import REACTIONS
from events.relay import Relay
from events.shop import Shop
from models import Notice, NoticeKind, Ticket, TicketUnits
from resolvers.ids import row_id
from tests.api.aftersales.documents import TicketCase, command, open_ticket
from tests.clients import Clients
from tests.given import refusals
from tests.observe import count_statements

MERGE = """mutation ($input: TicketMergeInput!) { ticketMerge(input: $input) {
  ticket { id } userErrors { code field } } }"""
SPLIT = """mutation ($input: TicketSplitInput!) { ticketSplit(input: $input) {
  ticket { id refund { amount } } userErrors { code field } } }"""
SEEN = """query ($id: ID!) { ticket(id: $id) { number status refund { amount } unread dueAt
  lines { quantity } messages { body } mergedInto { id } merged { id description } splitFrom { id }
  split { id } duplicates { id } timeline { name } priority { attendBy wordHours } } }"""

QUESTION: dict[str, Any] = {"type": "QUESTION", "reason": "QUESTION", "lines": []}


async def see(case: TicketCase, ticket: str) -> dict[str, Any]:
    found: dict[str, Any] = (await case.agent.get(SEEN, id=ticket))["ticket"]
    return found


async def write(case: TicketCase, ticket: str, body: str, **more: Any) -> dict[str, Any]:
    return await case.customer.do(command("ticketMessageAdd"), id=ticket, body=body, **more)


async def test_a_duplicate_goes_on_as_the_other_ticket_with_its_messages(
    case: TicketCase, shop: Shop
) -> None:
    kept = await open_ticket(case, idempotencyKey="a")
    asked = await open_ticket(case, idempotencyKey="b", description="This is a scam!", **QUESTION)
    await write(case, kept, "First.")
    await write(case, asked, "Second.")
    suggested = [each["id"] for each in (await see(case, kept))["duplicates"]]
    hidden = (await case.customer.get(SEEN, id=kept))["ticket"]["duplicates"]

    merged = await case.agent.do(MERGE, id=asked, intoId=kept)
    again = await case.agent.do(MERGE, id=asked, intoId=kept)
    later = await write(case, asked, "Third.")
    await Relay(shop, REACTIONS).run_once()

    assert (suggested, hidden) == ([asked], [])
    assert merged == {"ticket": {"id": kept}, "userErrors": []}
    assert refusals(again) == [("WRONG_STATE", "id")]
    assert later["ticket"]["id"] == kept
    ended, going_on = await see(case, asked), await see(case, kept)
    assert (ended["status"], ended["mergedInto"], ended["messages"]) == ("CANCELLED", {"id": kept}, [])
    assert [each["body"] for each in going_on["messages"]] == ["First.", "Second.", "Third."]
    assert going_on["merged"] == [{"id": asked, "description": "This is a scam!"}]
    assert going_on["priority"]["wordHours"] == 24
    assert [each["name"] for each in going_on["timeline"]] == [
        "ticket.opened",
        "ticket.message",
        "ticket.duplicate_joined",
        "ticket.message",
    ]
    assert [each["name"] for each in ended["timeline"]][-1] == "ticket.merged"
    read = (await case.customer.get(SEEN, id=asked))["ticket"]
    assert read["mergedInto"] == {"id": kept}
    async with shop.database.reads() as session:
        notices = select(Notice.facts).where(Notice.kind == NoticeKind.TICKET_MERGED)
        facts = (await session.scalars(notices)).all()
    assert facts == [{"number": ended["number"], "into": going_on["number"]}]


async def test_the_units_of_a_duplicate_are_free_again_or_asked_for_by_the_other(case: TicketCase) -> None:
    first, second, third = [await open_ticket(case, idempotencyKey=key) for key in "abc"]
    await case.agent.do(MERGE, id=second, intoId=first)
    single = await see(case, first)
    free = await open_ticket(case, idempotencyKey="d")
    moved = await case.agent.do(MERGE, id=third, intoId=first, moveUnits=True)
    both = await see(case, first)
    other = await case.customer.do(
        command("ticketOpen"), **case.application(idempotencyKey="e", description="More.")
    )

    assert [each["quantity"] for each in single["lines"]] == [1]
    assert moved["userErrors"] == []
    assert [each["quantity"] for each in both["lines"]] == [2]
    assert float(both["refund"]["amount"]) == 2 * float(single["refund"]["amount"])
    assert len(refusals(other)) == 1  # all three are claimed
    chained = await case.agent.do(MERGE, id=first, intoId=free)
    assert chained["userErrors"] == []
    assert (await see(case, second))["mergedInto"] == (await see(case, third))["mergedInto"] == {"id": free}


async def test_what_was_granted_has_ended_or_is_of_another_order_is_not_merged(
    case: TicketCase, clients: Clients
) -> None:
    first, agreed, ended = [await open_ticket(case, idempotencyKey=key) for key in "abc"]
    await case.agent.do(command("ticketAgree"), id=agreed)
    await case.customer.do(command("ticketCancel"), id=ended)
    question = await open_ticket(case, idempotencyKey="q", **QUESTION)
    before = [await see(case, each) for each in (first, agreed, ended, question)]
    refused = [
        await case.agent.do(MERGE, id=agreed, intoId=first),
        await case.agent.do(MERGE, id=first, intoId=ended),
        await case.agent.do(MERGE, id=first, intoId=first),
        await case.agent.do(MERGE, id=first, intoId=question, moveUnits=True),
        await case.agent.do(MERGE, id=first, intoId="VGlja2V0Ojk5OTk5OQ=="),
    ]
    by_customer = await case.customer.ask(MERGE, input={"id": question, "intoId": first})

    assert [refusals(each) for each in refused] == [
        [("WRONG_STATE", "id")],
        [("WRONG_STATE", "intoId")],
        [("INVALID", "intoId")],
        [("WRONG_STATE", "moveUnits")],
        [("NOT_FOUND", "intoId")],
    ]
    assert "FORBIDDEN" in str(by_customer)
    assert [await see(case, each) for each in (first, agreed, ended, question)] == before


async def test_what_is_split_off_is_as_urgent_as_what_was_written_before(case: TicketCase) -> None:
    ticket = await open_ticket(case, quantity=3)
    await write(case, ticket, "This is a scam!")

    new = await case.agent.do(SPLIT, id=ticket, lines=case.claim(1)["lines"], idempotencyKey="s")

    hours = [(await see(case, each))["priority"]["wordHours"] for each in (ticket, new["ticket"]["id"])]
    assert hours == [24, 24]


async def test_some_units_of_a_ticket_are_decided_apart(case: TicketCase, shop: Shop) -> None:
    ticket = await open_ticket(case, quantity=3)
    await write(case, ticket, "All three.")
    line = case.claim(1)["lines"]
    whole = await see(case, ticket)

    new = await case.agent.do(SPLIT, id=ticket, lines=line, idempotencyKey="s")
    repeated = await case.agent.do(SPLIT, id=ticket, lines=line, idempotencyKey="s")
    wrong = [
        await case.agent.do(SPLIT, id=ticket, lines=case.claim(quantity)["lines"], idempotencyKey=key)
        for quantity, key in ((2, "all"), (3, "more"), (0, "none"))
    ] + [await case.agent.do(SPLIT, id=ticket, lines=[], idempotencyKey="empty")]
    assert new["userErrors"] == []
    first, second = await see(case, ticket), await see(case, new["ticket"]["id"])
    await case.agent.do(command("ticketRefuse"), id=ticket, reason="No.")
    late = await case.agent.do(SPLIT, id=ticket, lines=line, idempotencyKey="late")

    assert repeated["ticket"] == new["ticket"]
    assert [refusals(each) for each in wrong] == [
        [("INVALID", "lines")],
        [("INVALID", "lines.0.quantity")],
        [("INVALID", "lines.0.quantity")],
        [("INVALID", "lines")],
    ]
    assert refusals(late) == [("WRONG_STATE", "id")]
    assert (
        [each["quantity"] for each in first["lines"]],
        [each["quantity"] for each in second["lines"]],
    ) == (
        [2],
        [1],
    )
    refunds = [float(each["refund"]["amount"]) for each in (first, second, whole)]
    assert refunds[0] + refunds[1] == refunds[2]
    assert (first["split"], second["splitFrom"]) == ([{"id": new["ticket"]["id"]}], {"id": ticket})
    assert (len(first["messages"]), second["messages"]) == (1, [])
    assert second["dueAt"] == whole["dueAt"]
    assert [each["name"] for each in second["timeline"]] == ["ticket.split_off"]
    assert (await see(case, new["ticket"]["id"]))["status"] == "APPLIED"
    async with shop.database.reads() as session:
        units = select(TicketUnits.quantity).join(Ticket, Ticket.id == TicketUnits.ticket_id)
        assert sorted((await session.scalars(units)).all()) in ([], [1, 2])


async def test_the_page_of_a_ticket_takes_the_same_statements_however_many_were_merged(
    case: TicketCase, shop: Shop
) -> None:
    kept = await open_ticket(case)
    counts = []
    for keys in ("a", "bc"):
        for key in keys:
            asked = await open_ticket(case, idempotencyKey=key, **QUESTION)
            await case.agent.do(MERGE, id=asked, intoId=kept)
        with count_statements(shop) as statements:
            await see(case, kept)
        counts.append(len(statements.texts))

    assert counts[0] == counts[1]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("is_newer_kept", [False, True])
async def test_a_merge_holds_no_newer_ticket_while_it_waits_for_an_older_one(
    case: TicketCase, shop: Shop, is_newer_kept: bool
) -> None:
    older = await open_ticket(case, idempotencyKey="a", **QUESTION)
    newer = await open_ticket(case, idempotencyKey="b", **QUESTION)
    duplicate, kept = (older, newer) if is_newer_kept else (newer, older)
    ids = {each: row_id(each, "Ticket") for each in (older, newer)}
    # whoever takes all tickets from an agent locks the newer one next
    merged = await merge_while_locked(case, shop, duplicate, kept, held=ids[older], next_id=ids[newer])

    assert merged["userErrors"] == []


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_merge_holds_no_ticket_while_somebody_writes_about_one_that_goes_on_as_it(
    case: TicketCase, shop: Shop
) -> None:
    first, second, third = [await open_ticket(case, idempotencyKey=key, **QUESTION) for key in "abc"]
    await case.agent.do(MERGE, id=first, intoId=second)
    ids = {each: row_id(each, "Ticket") for each in (first, second)}

    # who writes about the first locks the second next
    merged = await merge_while_locked(case, shop, second, third, held=ids[first], next_id=ids[second])

    assert merged["userErrors"] == []
    assert (await see(case, first))["mergedInto"] == {"id": third}


async def merge_while_locked(
    case: TicketCase, shop: Shop, duplicate: str, kept: str, *, held: int, next_id: int
) -> dict[str, Any]:
    """Merge while somebody holds a ticket and then locks another one, which fails where the merge has it."""
    async with shop.database.writes() as session:
        await session.get(Ticket, held, with_for_update=True)
        merging = asyncio.create_task(case.agent.do(MERGE, id=duplicate, intoId=kept))
        while not await session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
            await asyncio.sleep(0.02)
        await session.get(Ticket, next_id, with_for_update={"nowait": True}, populate_existing=True)
        await session.rollback()
    return await merging
