"""The words of customers that make a ticket urgent, as managers keep them through the API."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from events.aftersales import TICKETS_OUTDATED
from events.jobs.scheduler import Scheduler
from events.shop import Shop
from models import Role, Ticket, UrgentTerm
from models.urgent_term import FIRST_TERMS
from tests.api.aftersales.documents import TicketCase, command, open_ticket
from tests.clients import Client, Clients
from tests.conftest import Clock
from tests.factories.aftersales import create_ticket
from tests.given import codes, refusals
from tests.observe import count_statements, read_all_rows

SAVE = """mutation ($input: UrgentTermSaveInput!) { urgentTermSave(input: $input) {
  urgentTerm { language word hours exceptions version author { role } } userErrors { code field } } }"""
TERMS = """query ($history: Boolean! = false) { urgentTerms(history: $history) {
  language word hours exceptions version author { role } createdAt } }"""
PRIORITY = "query ($id: ID!) { ticket(id: $id) { priority { attendBy wordHours urgentTerms } } }"
MESSAGE = command("ticketMessageAdd")
DAY = timedelta(days=1)

WORD: dict[str, Any] = {"language": "en", "word": "Leaking", "hours": 10}


async def save(manager: Client, **changes: Any) -> dict[str, Any]:
    return await manager.do(SAVE, **(WORD | changes))


async def words_of(client: Client, ticket: str) -> tuple[list[str], int]:
    found = (await client.get(PRIORITY, id=ticket))["ticket"]["priority"]
    return found["urgentTerms"], found["wordHours"]


async def read_again(shop: Shop, clock: Clock) -> int:
    """What the timer does some time after words have changed; with how many tickets."""
    clock.tick(timedelta(minutes=1))
    return await Scheduler(shop, [TICKETS_OUTDATED]).run_once()


async def test_a_new_shop_knows_words_and_managers_add_versions_of_them(clients: Clients, shop: Shop) -> None:
    manager, agent = await clients.staff(Role.MANAGER), await clients.staff(Role.SUPPORT)
    before = (await agent.get(TERMS))["urgentTerms"]

    first = await save(manager)
    stale = await save(manager, hours=20)
    other_form = await save(manager, word="leaks", hours=20, version=1)
    ended = await save(manager, hours=0, version=2)
    refused = await save(agent, version=3)
    now, ever = [(await agent.get(TERMS, history=each))["urgentTerms"] for each in (False, True)]

    assert len(before) == len(FIRST_TERMS)
    assert {(each["version"], each["author"]) for each in before} == {(1, None)}
    assert first["urgentTerm"] == {
        "language": "en",
        "word": "Leaking",
        "hours": 10,
        "exceptions": [],
        "version": 1,
        "author": {"role": "MANAGER"},
    }
    assert refusals(stale) == [("CONFLICT", "version")]
    assert (other_form["urgentTerm"]["version"], ended["urgentTerm"]["version"]) == (2, 3)
    assert codes(refused) == ["FORBIDDEN"]
    assert [(each["word"], each["hours"]) for each in now if each["author"]] == [("Leaking", 0)]
    assert [(each["word"], each["hours"]) for each in ever[:3]] == [
        ("Leaking", 0),
        ("leaks", 20),
        ("Leaking", 10),
    ]
    assert {each["createdAt"] for each in ever[:3]} == {shop.clock().isoformat()}


@pytest.mark.parametrize(
    ("language", "word"), [("en", "LAWYERS"), ("zh", "律師"), ("zh", " 律师 "), ("en", "ｌａｗｙｅｒ")]
)
async def test_a_word_in_another_form_or_spelling_is_no_other_word(
    clients: Clients, shop: Shop, language: str, word: str
) -> None:
    manager = await clients.staff(Role.MANAGER)

    new = await save(manager, language=language, word=word)
    changed = await save(manager, language=language, word=word, version=1)

    assert refusals(new) == [("CONFLICT", "version")]
    assert changed["urgentTerm"]["version"] == 2


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"language": ""}, "INVALID", "language"),
    ({"language": "EN"}, "INVALID", "language"),
    ({"word": " "}, "INVALID", "word"),
    ({"word": "!?"}, "INVALID", "word"),
    ({"word": "very angry"}, "INVALID", "word"),
    ({"word": "很angry"}, "INVALID", "word"),
    ({"word": "a.*"}, "INVALID", "word"),
    ({"word": "(a+)+$"}, "INVALID", "word"),
    ({"word": "[垃"}, "INVALID", "word"),
    ({"word": "_leak"}, "INVALID", "word"),
    ({"word": "C++"}, "INVALID", "word"),
    ({"word": "x" * 51}, "INVALID", "word"),
    ({"hours": -1}, "INVALID", "hours"),
    ({"hours": 49}, "INVALID", "hours"),
    ({"exceptions": ["leaking"]}, "INVALID", "exceptions.0"),
    ({"exceptions": ["not leaking", "a tea pot"]}, "INVALID", "exceptions.1"),
    ({"exceptions": [f"leaking {'x' * 50}"]}, "INVALID", "exceptions.0"),
    ({"exceptions": ["leaking tea"] * 21}, "LIMIT_REACHED", "exceptions"),
    ({"word": "漏水", "exceptions": ["漏水"]}, "INVALID", "exceptions.0"),
    ({"word": "漏水", "exceptions": ["不漏"]}, "INVALID", "exceptions.0"),
    ({"version": 1}, "CONFLICT", "version"),
]


async def test_what_is_no_word_is_refused_by_its_field_and_changes_nothing(
    clients: Clients, shop: Shop
) -> None:
    manager = await clients.staff(Role.MANAGER)
    before = await read_all_rows(shop)

    found = [refusals(await save(manager, **wrong)) for wrong, _, _ in WRONG]

    assert found == [[(code, field)] for _, code, field in WRONG]
    assert await read_all_rows(shop) == before


async def test_a_word_with_a_sign_is_refused_by_it_unless_it_ends(clients: Clients, shop: Shop) -> None:
    manager = await clients.staff(Role.MANAGER)
    async with shop.database.writes.begin() as session:
        session.add(
            UrgentTerm(
                language="en",
                term="c",
                word="C++",
                version=1,
                hours=1,
                exceptions=[],
                edition=1,
                created_at=shop.clock(),
            )
        )

    refused = await manager.do(
        SAVE.replace("code field", "message"), **(WORD | {"word": " C++ ", "version": 1})
    )
    ended = await save(manager, word="C++", hours=0, version=1)

    assert refused["userErrors"] == [{"message": 'Write the word without "+".'}]
    assert (ended["urgentTerm"]["version"], ended["urgentTerm"]["hours"]) == (2, 0)


async def test_five_hundred_words_make_tickets_urgent_and_what_has_ended_leaves_its_place(
    clients: Clients, shop: Shop
) -> None:
    manager = await clients.staff(Role.MANAGER)
    async with shop.database.writes.begin() as session:
        session.add_all(
            UrgentTerm(
                language="en",
                term=f"word{number}",
                word=f"word{number}",
                version=1,
                hours=1,
                exceptions=[],
                edition=number + 1,
                created_at=shop.clock(),
            )
            for number in range(500 - len(FIRST_TERMS))
        )

    full = await save(manager)
    change = await save(manager, word="word7", hours=2, version=1)
    ended = await save(manager, word="word8", hours=0, version=1)
    again = await save(manager)
    too_many = await save(manager, word="word8", hours=1, version=2)

    assert codes(full) == codes(too_many) == ["LIMIT_REACHED"]
    assert change["userErrors"] == ended["userErrors"] == again["userErrors"] == []
    assert len((await manager.get(TERMS))["urgentTerms"]) == 500


async def test_what_customers_write_is_read_by_the_words_of_now(case: TicketCase, clients: Clients) -> None:
    manager = await clients.staff(Role.MANAGER)
    before = await open_ticket(case, description="It is leaking!", idempotencyKey="1")

    await save(manager, exceptions=["Leaking Gallery"])
    after = await open_ticket(case, description="It LEAKS.", idempotencyKey="2")
    denied = await open_ticket(case, description="It is not leaking.", idempotencyKey="3")
    assert await words_of(case.agent, before) == ([], 0)
    assert await words_of(case.agent, after) == (["leaks"], 10)
    assert await words_of(case.agent, denied) == ([], 0)

    await case.customer.do(MESSAGE, id=denied, body="I bought it at the leaking gallery.")
    assert await words_of(case.agent, denied) == ([], 0)
    await case.customer.do(MESSAGE, id=denied, body="It leaks after all.")
    assert await words_of(case.agent, denied) == (["leaks"], 10)

    await save(manager, hours=0, version=1)
    await case.customer.do(MESSAGE, id=before, body="It leaks still.")
    assert await words_of(case.agent, before) == ([], 0)


async def test_a_chinese_word_is_found_inside_others_but_not_in_its_exceptions(
    case: TicketCase, clients: Clients
) -> None:
    manager = await clients.staff(Role.MANAGER)
    texts = {"1": "壶底漏水严重", "2": "要一个防漏水的壶", "3": "壶没漏水"}

    saved = await save(manager, language="zh", word="漏水", exceptions=["防漏水", "防漏水", " 漏水孔 "])
    tickets = {
        key: await open_ticket(case, description=text, idempotencyKey=key) for key, text in texts.items()
    }
    found = [await words_of(case.agent, ticket) for ticket in tickets.values()]
    await case.customer.do(MESSAGE, id=tickets["2"], body="垃圾桶里有律師")

    assert saved["urgentTerm"]["exceptions"] == ["防漏水", "漏水孔"]
    assert found == [(["漏水"], 10), ([], 0), ([], 0)]
    assert await words_of(case.agent, tickets["2"]) == (["律师"], 24)


async def test_tickets_that_wait_are_read_again_some_time_after_words_have_changed(
    case: TicketCase, clients: Clients, shop: Shop, clock: Clock
) -> None:
    manager = await clients.staff(Role.MANAGER)
    waits = await open_ticket(case, description="This is a scam, it is leaking.", idempotencyKey="1")
    unaffected = await open_ticket(case, description="Please hurry.", idempotencyKey="2")
    settled = await open_ticket(case, description="It leaks.", idempotencyKey="3")
    await case.customer.do(MESSAGE, id=waits, body="It is leaking on the floor.")
    await case.agent.do(MESSAGE, id=waits, body="A scam? It leaks?", internal=True)
    await case.agent.do(command("ticketAgree"), id=settled)
    read = "query ($id: ID!) { ticket(id: $id) { version dueAt priority { attendBy } } }"
    first = [(await case.agent.get(read, id=each))["ticket"] for each in (waits, unaffected, settled)]

    await save(manager)
    await save(manager, word="scam", hours=0, version=1)
    at_once = await Scheduler(shop, [TICKETS_OUTDATED]).run_once()
    done = await read_again(shop, clock)
    again = await read_again(shop, clock)
    then = [(await case.agent.get(read, id=each))["ticket"] for each in (waits, unaffected, settled)]

    assert (at_once, done, again) == (0, 2, 0)
    assert await words_of(case.agent, waits) == (["leaking"], 10)
    assert await words_of(case.agent, unaffected) == (["hurry"], 6)
    due = [each["dueAt"] for each in first]
    assert [each["priority"] and each["priority"]["attendBy"] for each in then[1:]] == [
        first[1]["priority"]["attendBy"],
        None,
    ]
    assert [each["version"] for each in then] == [each["version"] for each in first]
    assert [each["dueAt"] for each in then] == due
    async with shop.database.reads() as session:
        ticket = await session.get_one(Ticket, 1)
        assert ticket.due_at is not None
        assert ticket.attend_by == ticket.due_at - timedelta(hours=10)

    await case.customer.do(MESSAGE, id=settled, body="Where do I send it?")
    assert await read_again(shop, clock) == 1
    assert await words_of(case.agent, settled) == (["leaks"], 10)


async def test_what_duplicates_said_is_read_again_with_the_ticket_they_go_on_as(
    case: TicketCase, clients: Clients, shop: Shop, clock: Clock
) -> None:
    manager = await clients.staff(Role.MANAGER)
    into = await open_ticket(case, description="It drips.", idempotencyKey="1")
    duplicate = await open_ticket(case, description="It is leaking.", idempotencyKey="2")
    await case.agent.do(command("ticketMerge"), id=duplicate, intoId=into)

    await save(manager)
    await read_again(shop, clock)

    assert await words_of(case.agent, into) == (["leaking"], 10)


async def test_a_ticket_is_as_urgent_as_all_that_its_duplicates_have_said(
    case: TicketCase, clients: Clients, shop: Shop, clock: Clock
) -> None:
    into = await open_ticket(case, description="It drips.", idempotencyKey="1")
    first = await open_ticket(case, description="Please hurry.", idempotencyKey="2")
    second = await open_ticket(case, description="Well?", idempotencyKey="3")
    await case.customer.do(MESSAGE, id=first, body="This is a scam!")
    await case.customer.do(MESSAGE, id=second, body="I am angry.")
    await case.agent.do(MESSAGE, id=second, body="Is it fraud?", internal=True)

    await case.agent.do(command("ticketMerge"), id=first, intoId=second)
    chained = await words_of(case.agent, second)
    await case.agent.do(command("ticketMerge"), id=second, intoId=into)
    merged = await words_of(case.agent, into)
    await save(await clients.staff(Role.MANAGER))
    await read_again(shop, clock)
    words, hours = await words_of(case.agent, into)

    assert (sorted(chained[0]), chained[1]) == (["angry", "hurry", "scam"], 24)
    assert (sorted(merged[0]), merged[1]) == (sorted(words), hours) == (["angry", "hurry", "scam"], 24)


async def test_a_ticket_that_was_split_stays_as_urgent_as_what_was_written_before(
    case: TicketCase, clients: Clients, shop: Shop, clock: Clock
) -> None:
    ticket = await open_ticket(case, quantity=3)
    await case.customer.do(MESSAGE, id=ticket, body="This is a scam!")
    split = [ticket]
    for key, units in (("one", 2), ("two", 1)):
        lines = case.claim(units)["lines"]
        new = await case.agent.do(command("ticketSplit"), id=split[-1], lines=lines, idempotencyKey=key)
        split.append(new["ticket"]["id"])

    await save(await clients.staff(Role.MANAGER))
    done = await read_again(shop, clock)

    assert done == 3
    assert [await words_of(case.agent, each) for each in split] == [(["leaks", "scam"], 24)] * 3


async def test_what_is_read_again_takes_as_many_statements_for_many_tickets_as_for_two(
    clients: Clients, shop: Shop, clock: Clock
) -> None:
    manager, counts = await clients.staff(Role.MANAGER), []
    for version, tickets in enumerate((2, 9)):
        async with shop.database.writes.begin() as session:
            for _ in range(tickets):
                await create_ticket(session, now=shop.clock())
        await save(manager, hours=10 + version, version=version or None)
        clock.tick(timedelta(minutes=1))
        with count_statements(shop) as statements:
            assert await Scheduler(shop, [TICKETS_OUTDATED]).run_once() in {2, 11}
        counts.append(statements.total)

    assert counts == [7, 7]


async def test_a_text_is_read_without_asking_for_the_words_unless_they_have_changed(
    case: TicketCase, clients: Clients, shop: Shop
) -> None:
    ticket = await open_ticket(case)

    async def count_terms_read() -> int:
        with count_statements(shop) as statements:
            await case.customer.do(MESSAGE, id=ticket, body="It is leaking.")
        return sum(1 for each in statements.texts if "urgent_terms.word" in each)

    before = await count_terms_read()
    await save(await clients.staff(Role.MANAGER))
    after = [await count_terms_read() for _ in range(2)]

    assert (before, after) == (0, [1, 0])
    assert await words_of(case.agent, ticket) == (["leaking"], 10)


async def test_two_managers_who_change_a_word_at_once_do_not_lose_a_change(
    clients: Clients, shop: Shop
) -> None:
    managers = [await clients.staff(Role.MANAGER) for _ in range(3)]

    same = await asyncio.gather(*(save(each, hours=hours) for hours, each in enumerate(managers, start=5)))
    others = await asyncio.gather(*(save(each, word=f"word{at}") for at, each in enumerate(managers)))

    assert sorted(refusals(each) for each in same) == [
        [],
        [("CONFLICT", "version")],
        [("CONFLICT", "version")],
    ]
    assert [refusals(each) for each in others] == [[], [], []]
    async with shop.database.reads() as session:
        editions = await session.scalars(select(UrgentTerm.edition).where(UrgentTerm.edition > 0))
        assert sorted(editions) == [1, 2, 3, 4]
