"""What helps an agent to answer: a proposed answer with its sources, and what the rules would decide."""

from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from events.shop import Shop
from models import Article, ArticleAudience, Role
from resolvers.ids import global_id
from tests.api.aftersales.documents import TicketCase, command, open_ticket
from tests.api.aftersales.test_agreement_rules import save
from tests.api.aftersales.test_questions import ASK, question
from tests.clients import Clients
from tests.factories.knowledge import create_article
from tests.observe import count_statements, read_all_rows

PROPOSED = """query($id: ID!) { ticket(id: $id) { number order { number total { amount } }
  proposedAnswer { text quotes unfilled article { slug } } } }"""
FORECAST = """query($id: ID!) { ticketRuleForecast(id: $id) {
  at obstacle rule { code version } worth { amount } } }"""
LISTED = "{ tickets { nodes { proposedAnswer { text } } } }"
BODY = """# Leaks

A teapot that leaks is replaced. Tighten the lid of a **leaking** teapot first.

Ask before {due}; quote {order} and {stamp}. We sell cups, too."""


async def propose(case: TicketCase, ticket: str) -> dict[str, Any]:
    found: dict[str, Any] = (await case.agent.get(PROPOSED, id=ticket))["ticket"]
    return found


async def test_an_answer_quotes_the_article_that_fits_and_is_filled_with_facts_of_the_order(
    case: TicketCase, session: AsyncSession
) -> None:
    await create_article(session, slug="leak", title="My teapot leaks", body=BODY)
    await session.commit()
    ticket = await open_ticket(case, description="My teapot leaks: may I quote {refund}?")

    found = await propose(case, ticket)
    answer = found["proposedAnswer"]

    assert answer["article"] == {"slug": "leak"}
    assert answer["quotes"] == [
        "A teapot that leaks is replaced.",
        "Tighten the lid of a leaking teapot first.",
        "Ask before {due}; quote {order} and {stamp}.",
    ]
    assert answer["unfilled"] == ["stamp"]
    hello, body, about = answer["text"].split("\n\n")
    assert hello == f"Hello {case.customer.account.name}," if case.customer.account else ""
    assert found["order"]["number"] in body
    assert "{stamp}" in body
    assert "{due}" not in body
    assert found["order"]["number"] in about
    assert found["order"]["total"]["amount"] in about
    assert found["number"] in about
    assert "cups" not in answer["text"]


async def test_a_refund_is_named_only_once_it_is_granted(case: TicketCase, session: AsyncSession) -> None:
    await create_article(session, slug="leak", title="My teapot leaks", body="Tighten the lid.")
    await session.commit()
    terms = {"type": "REFUND_ONLY", "reason": "QUALITY_FAULT", "description": "My teapot leaks"}
    granted, refused = [await open_ticket(case, **terms, idempotencyKey=key) for key in "ab"]
    applied = (await propose(case, granted))["proposedAnswer"]["text"]
    await case.agent.do(command("ticketAgree"), id=granted)
    await case.agent.do(command("ticketRefuse"), id=refused, reason="No.")

    texts = [applied, *[(await propose(case, each))["proposedAnswer"]["text"] for each in (granted, refused)]]

    assert ["Your refund comes to" in text for text in texts] == [False, True, False]


async def test_what_is_for_agents_only_is_not_quoted_to_customers(
    case: TicketCase, session: AsyncSession
) -> None:
    internal = await create_article(session, slug="limits", title="My teapot leaks", body="Never above 50.")
    internal.audience = ArticleAudience.AGENTS
    await create_article(session, slug="leak", title="A teapot leaks", body="Tighten the lid.")
    await session.commit()
    ticket = await open_ticket(case, description="My teapot leaks")

    assert (await propose(case, ticket))["proposedAnswer"]["quotes"] == ["Tighten the lid."]


async def test_nothing_is_proposed_where_no_article_fits_or_to_customers(
    case: TicketCase, session: AsyncSession
) -> None:
    await create_article(session, title="Paying by card", body="Any card will do.")
    await create_article(session, slug="leak", title="My teapot leaks", body="Tighten the lid.")
    await session.commit()
    strange = await case.customer.do(
        ASK, **question(global_id("Order", case.order.id), description="Who won the football match?")
    )
    ticket = await open_ticket(case, description="My teapot leaks")

    assert (await propose(case, strange["ticket"]["id"]))["proposedAnswer"] is None
    assert (await case.customer.get(PROPOSED, id=ticket))["ticket"]["proposedAnswer"] is None
    assert (await propose(case, ticket))["proposedAnswer"]["quotes"] == ["Tighten the lid."]


async def add_storage_and_damage(session: AsyncSession) -> Article:
    """Articles about storing tea and about what arrives broken, which is the answer."""
    await create_article(
        session, title="How should I store tea?", tags=["tea", "storage"], body="Keep tea in a tin."
    )
    return await create_article(
        session, title="My parcel arrived damaged", tags=["broken"], body="Send us pictures of it."
    )


@pytest.mark.parametrize(
    ("reason", "description", "quoted"),
    [
        ("DAMAGED", "The tin of tea: the tea tin is crushed", ["Send us pictures of it."]),
        ("QUALITY_FAULT", "The tin of tea: the tea tin has rust, lid sticks, hinge squeaks loudly", None),
        ("QUALITY_FAULT", "store tea in a tin", ["Keep tea in a tin."]),
    ],
)
async def test_an_answer_rests_on_why_a_ticket_was_opened_and_not_only_on_the_goods(
    case: TicketCase, session: AsyncSession, reason: str, description: str, quoted: list[str] | None
) -> None:
    await add_storage_and_damage(session)
    await session.commit()
    ticket = await open_ticket(case, type="REFUND_ONLY", reason=reason, description=description)

    answer = (await propose(case, ticket))["proposedAnswer"]

    assert (answer and answer["quotes"]) == quoted


async def test_an_answer_is_in_the_language_of_the_ticket(case: TicketCase, session: AsyncSession) -> None:
    english = await add_storage_and_damage(session)
    chinese = await create_article(session, language="zh-CN", title="包裹破损", body="请拍照。")
    chinese.original_id = english.id
    await session.commit()
    terms = {"type": "REFUND_ONLY", "reason": "DAMAGED"}
    tickets = [
        await open_ticket(case, **terms, description=text, idempotencyKey=text)
        for text in ("damaged", "damaged 茶叶罐", "包裹破损")
    ]

    answers = [(await propose(case, each))["proposedAnswer"]["quotes"] for each in tickets]

    assert answers == [["Send us pictures of it."], ["请拍照。"], ["请拍照。"]]


async def test_answers_to_many_tickets_take_as_many_statements_as_one(
    case: TicketCase, shop: Shop, session: AsyncSession
) -> None:
    await create_article(session, slug="leak", title="My teapot leaks", body="Tighten the lid.")
    await session.commit()
    counts = []
    for key in ("zero", "one", "two"):
        await case.customer.do(
            ASK,
            **question(global_id("Order", case.order.id), description="My teapot leaks", idempotencyKey=key),
        )
        with count_statements(shop) as statements:
            page = await case.agent.get(LISTED)
        counts.append(statements.total)
        assert all(each["proposedAnswer"] for each in page["tickets"]["nodes"])
    assert counts[2] == counts[1] <= 7


async def test_a_forecast_says_which_rule_would_agree_and_changes_nothing(
    case: TicketCase, shop: Shop, clients: Clients
) -> None:
    ticket = await open_ticket(case)
    asked = await case.customer.do(ASK, **question(global_id("Order", case.order.id)))
    before = await read_all_rows(shop)

    by_silence = (await case.agent.get(FORECAST, id=ticket))["ticketRuleForecast"]
    of_question = (await case.agent.get(FORECAST, id=asked["ticket"]["id"]))["ticketRuleForecast"]
    nobodys = (await case.agent.get(FORECAST, id=global_id("Ticket", 999)))["ticketRuleForecast"]
    after = await read_all_rows(shop)
    manager = await clients.staff(Role.MANAGER)
    ended = await save(manager, code="silence", moment="SILENCE", active=False, version=1)
    without = (await case.agent.get(FORECAST, id=ticket))["ticketRuleForecast"]
    await case.agent.do(command("ticketAgree"), id=ticket)

    assert by_silence["rule"] == {"code": "silence", "version": 1}
    assert by_silence["obstacle"] is None
    assert by_silence["at"] is not None
    assert float(by_silence["worth"]["amount"]) > 0
    assert (of_question, nobodys) == (None, None)
    assert before == after
    assert ended["userErrors"] == []
    assert (without["rule"], without["obstacle"]) == (None, "NO_RULE")
    assert (await case.agent.get(FORECAST, id=ticket))["ticketRuleForecast"] is None
