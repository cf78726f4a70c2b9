"""The ticket report over the API, and how customers rate their tickets."""

import csv
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from io import StringIO
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.day_counts import recount_days
from domain.aftersales.stored_answers import fill_stored_answers
from edge.commands.ticket_days import count_tickets
from events.aftersales import CHANGED_DAYS, UNASKED_TICKETS
from events.jobs.scheduler import Scheduler
from events.shop import Shop
from models import Notice, NoticeKind, Product, Role, Ticket, TicketDay, TicketRating
from resolvers.ids import global_id, row_id
from tests.api.aftersales.documents import TicketCase, command
from tests.api.aftersales.test_merging import MERGE
from tests.api.aftersales.test_questions import ASK, question
from tests.clients import Client, Clients
from tests.conftest import Clock
from tests.factories.aftersales import settle_refunds
from tests.given import refusals
from tests.observe import assert_books_agree, count_statements, run_until_idle

STEP, DAY = timedelta(minutes=2), timedelta(days=1)
RATE = """mutation($input: TicketRateInput!) { ticketRate(input: $input) {
  ticket { rating { rating note openUntil } } userErrors { code field message } } }"""
REPORT = """
fragment F on TicketFigures { opened resolved reopened reopenRate
  firstAnswer { count median ninetieth } resolution { count median ninetieth }
  satisfaction { asked rated average ratings } }
query($from: Date!, $to: Date!) { ticketReport(from: $from, to: $to) {
  timeZone total { ...F } weeks { first last figures { ...F } }
  reasons: refundRates(by: REASON) { reason refunded sent rate amounts { amount currencyCode } }
  products: refundRates(by: PRODUCT) { product { title } refunded sent rate }
  warehouses: refundRates(by: WAREHOUSE) { warehouse { code } refunded sent rate }
  carriers: refundRates(by: CARRIER) { carrier refunded sent }
  backlog { status counts }
  agents { agent { id } openNow tickets resolved reopenRate rated averageRating }
} }"""
FILES = """query($from: Date!, $to: Date!) { ticketReport(from: $from, to: $to) {
  weeks: csv(part: WEEKS) reasons: csv(part: REASONS) products: csv(part: PRODUCTS)
  warehouses: csv(part: WAREHOUSES) carriers: csv(part: CARRIERS) agents: csv(part: AGENTS)
  backlog: csv(part: BACKLOG)
  answers: chart(of: FIRST_ANSWER) ends: chart(of: RESOLUTION) ratings: chart(of: SATISFACTION)
  byReason: chart(of: REASONS) byProduct: chart(of: PRODUCTS) open: chart(of: BACKLOG) } }"""


async def ask_question(case: TicketCase, key: str) -> str:
    opened = await case.customer.do(ASK, **question(global_id("Order", case.order.id), idempotencyKey=key))
    found: str = opened["ticket"]["id"]
    return found


async def sign_in_again(clients: Clients, case: TicketCase) -> TicketCase:
    """Access tokens do not last as long as the clock has moved."""
    customer = await clients.customer(case.customer.account)
    return replace(case, customer=customer, agent=await clients.staff(Role.SUPPORT, case.agent.account))


async def return_two(case: TicketCase, clerk: Client, shop: Shop, session: AsyncSession) -> str:
    """A return that is agreed to and comes back: one unit is refunded, the other one refused."""
    opened = await case.customer.do(command("ticketOpen"), **case.application(quantity=2))
    ticket: str = opened["ticket"]["id"]
    await case.agent.do(command("ticketAgree"), id=ticket)
    await case.customer.do(
        command("ticketReturnShip"), id=ticket, carrier="SIMULATED", trackingNumber="SIM-1"
    )
    worn = case.came_back("DAMAGED", accepted=False, customersFault=True, note="Worn.")
    units = [case.came_back("AS_NEW"), worn]
    received = await clerk.do(command("ticketReturnReceive"), id=ticket, units=units)
    assert received["userErrors"] == []
    await run_until_idle(shop)
    await settle_refunds(session, await session.get_one(Ticket, row_id(ticket, "Ticket")), now=shop.clock())
    await session.commit()
    await run_until_idle(shop)
    return ticket


def days_of(shop: Shop, *, before: int = 1) -> dict[str, Any]:
    today = shop.clock().astimezone(shop.settings.locale.zone).date()
    return {"from": (today - before * DAY).isoformat(), "to": (today + DAY).isoformat()}


async def read_report(manager: Client, days: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = (await manager.get(REPORT, **days))["ticketReport"]
    return found


async def test_a_customer_is_asked_once_and_rates_within_the_time(
    case: TicketCase, shop: Shop, clients: Clients, clock: Clock, session: AsyncSession
) -> None:
    ticket = await ask_question(case, "one")
    await case.agent.do(command("ticketMessageAdd"), id=ticket, body="Yes.")
    await case.customer.do(command("ticketClose"), id=ticket)
    unasked = await case.customer.do(RATE, id=ticket, rating=5)
    clock.tick(DAY)
    for _ in range(2):
        await Scheduler(shop, [UNASKED_TICKETS]).run_once()
    asked = await session.scalar(select(func.count()).where(Notice.kind == NoticeKind.TICKET_RATING))
    await session.commit()
    case = await sign_in_again(clients, case)
    stranger = await (await clients.customer()).do(RATE, id=ticket, rating=1)
    by_staff = await case.agent.do(RATE, id=ticket, rating=5)
    wrong = [await case.customer.do(RATE, id=ticket, **each) for each in ({"rating": 6}, {"rating": 0})]
    first = await case.customer.do(RATE, id=ticket, rating=2, note=" Slow. ")
    changed = await case.customer.do(RATE, id=ticket, rating=4)
    for rating in (4, 5, 5, 4, 5, 4, 5, 4, 5, 4):  # of the same again nothing is kept
        await case.customer.do(RATE, id=ticket, rating=rating)
    too_often = await case.customer.do(RATE, id=ticket, rating=1)
    clock.tick(14 * DAY)
    case = await sign_in_again(clients, case)
    late = await case.customer.do(RATE, id=ticket, rating=1)

    assert refusals(unasked) == [("WRONG_STATE", "id")]
    assert asked == 1
    assert refusals(stranger) == refusals(by_staff) == [("NOT_FOUND", "id")]
    assert [refusals(each) for each in wrong] == [[("INVALID", "rating")]] * 2
    assert first["ticket"]["rating"] | {"openUntil": ""} == {"rating": 2, "note": "Slow.", "openUntil": ""}
    assert changed["ticket"]["rating"] | {"openUntil": ""} == {"rating": 4, "note": "", "openUntil": ""}
    assert refusals(too_often) == [("LIMIT_REACHED", "rating")]
    assert refusals(late) == [("WRONG_STATE", "id")]
    assert (await session.scalars(select(TicketRating.rating))).all() == [4]
    await session.commit()
    await run_until_idle(shop)
    await assert_books_agree(shop)


async def test_the_report_is_exact_before_and_after_its_days_are_counted(
    case: TicketCase, shop: Shop, clients: Clients, clock: Clock, session: AsyncSession
) -> None:
    manager, days = await clients.staff(Role.MANAGER), days_of(shop)
    assert case.agent.account
    agent_id = global_id("Account", case.agent.account.id)
    answered, reopened, waiting = [await ask_question(case, key) for key in ("a", "b", "c")]
    say = command("ticketMessageAdd")
    clock.tick(STEP)
    await case.agent.do(say, id=answered, body="Yes.")
    await case.agent.do(command("ticketAssign"), id=answered, assigneeId=agent_id)
    clock.tick(STEP)
    for who in (case.agent, case.customer, case.agent):
        await who.do(say, id=reopened, body="Hm.")
    clock.tick(STEP)
    await case.customer.do(command("ticketClose"), id=answered)
    duplicate = await ask_question(case, "d")
    merged = await case.agent.do(MERGE, id=duplicate, intoId=waiting)
    returned = await return_two(case, await clients.staff(Role.WAREHOUSE), shop, session)
    clock.tick(2 * DAY)
    await Scheduler(shop, [UNASKED_TICKETS]).run_once()
    case, manager = await sign_in_again(clients, case), await clients.staff(Role.MANAGER)
    await case.customer.do(RATE, id=answered, rating=5)
    live = await read_report(manager, days)
    counted_before = await session.scalar(select(func.count()).select_from(TicketDay))
    await session.commit()
    clock.tick(STEP)
    await Scheduler(shop, [CHANGED_DAYS]).run_once()
    with count_statements(shop) as few:
        kept = await read_report(manager, days)
    await case.customer.do(say, id=waiting, body="Hello?")
    await case.agent.do(say, id=waiting, body="Sorry.")
    changed = await read_report(manager, days)

    step = 120
    assert refusals(merged) == []
    assert live["total"] == {
        "opened": 5,
        "resolved": 4,
        "reopened": 1,
        "reopenRate": 0.25,
        "firstAnswer": {"count": 3, "median": step, "ninetieth": 2 * step},
        "resolution": {"count": 4, "median": 0, "ninetieth": 2 * step},
        "satisfaction": {"asked": 2, "rated": 1, "average": 5.0, "ratings": [0, 0, 0, 0, 1]},
    }
    assert sum(week["figures"]["opened"] for week in live["weeks"]) == 5
    [reason], [product], [warehouse] = live["reasons"], live["products"], live["warehouses"]
    assert (reason["reason"], reason["refunded"], reason["sent"]) == ("QUALITY_FAULT", 1, 3)
    assert (product["refunded"], product["sent"], product["rate"]) == (1, 3, 0.3333)
    assert (warehouse["refunded"], warehouse["sent"], warehouse["rate"]) == (1, 3, 0.3333)
    assert reason["amounts"] == [{"amount": "99.00", "currencyCode": "CNY"}]
    assert sum(sum(line["counts"]) for line in live["backlog"]) == 1
    assert [each["tickets"] for each in live["agents"]] == [1]
    assert (counted_before, kept) == (0, live | {"backlog": kept["backlog"]})
    assert (await session.scalar(select(func.count()).select_from(TicketDay)) or 0) > 0
    await session.commit()
    assert changed["total"]["firstAnswer"]["count"] == 4
    assert few.total <= 21
    assert returned
    await count_tickets(shop)
    await assert_books_agree(shop)


@pytest.mark.parametrize("lost", [("first_answered_at", "resolved_at", "reopens"), ("resolved_at",)], ids=len)
async def test_tickets_of_former_releases_are_filled_in_from_their_events(
    case: TicketCase, shop: Shop, clock: Clock, session: AsyncSession, lost: Sequence[str]
) -> None:
    ticket = await ask_question(case, "old")
    for who in (case.agent, case.customer, case.agent):
        clock.tick(STEP)
        await who.do(command("ticketMessageAdd"), id=ticket, body="Hm.")
    columns = (Ticket.first_answered_at, Ticket.resolved_at, Ticket.reopens)
    before = (await session.execute(select(*columns))).all()
    nothing = {"first_answered_at": None, "resolved_at": None, "reopens": 0}
    await session.execute(update(Ticket).values({name: nothing[name] for name in lost}))
    await session.commit()

    async with shop.database.writes.begin() as writing:
        assert await fill_stored_answers(writing, 0) == row_id(ticket, "Ticket")
    async with shop.database.writes.begin() as writing:
        assert await fill_stored_answers(writing, row_id(ticket, "Ticket")) is None

    assert (await session.execute(select(*columns))).all() == before
    assert before[0][2] == 1
    assert before[0][1] is not None


async def test_files_are_safe_for_spreadsheets_and_charts_say_the_same_in_words(
    case: TicketCase, shop: Shop, clients: Clients, session: AsyncSession
) -> None:
    manager, days = await clients.staff(Role.MANAGER), days_of(shop, before=30)
    empty = (await manager.get(FILES, **days))["ticketReport"]
    await return_two(case, await clients.staff(Role.WAREHOUSE), shop, session)
    product_id = case.line.product_id
    await session.execute(update(Product).where(Product.id == product_id).values(title="=1+1<b>"))
    await session.commit()
    files = (await manager.get(FILES, **days))["ticketReport"]
    again = (await manager.get(FILES, **days))["ticketReport"]

    tables = {name: list(csv.reader(StringIO(files[name]))) for name in ("weeks", "products", "agents")}
    assert tables["products"][1][1:4] == ["'=1+1<b>", "1", "3"]
    assert len(tables["weeks"]) >= 5
    for name in ("answers", "ends", "ratings", "byReason", "byProduct", "open"):
        drawn = fromstring(files[name])  # noqa: S314 - drawn by us
        assert drawn.get("role") == "img"
        assert [child.tag.rpartition("}")[2] for child in drawn[:2]] == ["title", "desc"]
        assert fromstring(empty[name])[1].text  # noqa: S314 - drawn by us
    drawn = fromstring(files["byProduct"])  # noqa: S314 - drawn by us
    assert "=1+1<b>" in (drawn[1].text or "")
    assert again == files


@pytest.mark.parametrize(
    ("language", "reason", "product"), [("en", "quality fault", "Teapot"), ("zh-CN", "质量问题", "茶壶")]
)
async def test_files_and_charts_name_reasons_and_products_in_the_language_of_the_reader(
    language: str,
    reason: str,
    product: str,
    case: TicketCase,
    shop: Shop,
    clients: Clients,
    session: AsyncSession,
) -> None:
    await return_two(case, await clients.staff(Role.WAREHOUSE), shop, session)
    product_id = case.line.product_id
    named = {"title": "茶壶", "translations": {"en": {"title": "Teapot"}}}
    await session.execute(update(Product).where(Product.id == product_id).values(named))
    await session.commit()
    manager = await clients.staff(Role.MANAGER)
    manager.headers["Accept-Language"] = language
    files = (await manager.get(FILES, **days_of(shop)))["ticketReport"]

    tables = {name: list(csv.reader(StringIO(files[name]))) for name in ("reasons", "products")}
    assert tables["reasons"][1][:2] == ["QUALITY_FAULT", reason]
    assert tables["products"][1][:2] == [str(product_id), product]
    for name, label in (("byReason", reason), ("byProduct", product)):
        drawn = fromstring(files[name])  # noqa: S314 - drawn by us
        assert f"{label}: 1" == drawn[1].text
        assert label in [each.text for each in drawn.iter()]


async def test_a_ticket_counts_for_who_has_it_now_and_not_for_who_has_answered_it(
    case: TicketCase, shop: Shop, clients: Clients
) -> None:
    manager, other = await clients.staff(Role.MANAGER), await clients.staff(Role.SUPPORT)
    assert case.agent.account
    assert other.account
    agent_id, other_id = (global_id("Account", each.id) for each in (case.agent.account, other.account))
    handed, answered = [await ask_question(case, key) for key in "ab"]
    say, assign = command("ticketMessageAdd"), command("ticketAssign")
    await case.agent.do(assign, id=handed, assigneeId=agent_id)
    for ticket in (handed, answered):
        await case.agent.do(say, id=ticket, body="Yes.")
    before = (await read_report(manager, days_of(shop)))["agents"]
    await case.agent.do(assign, id=handed, assigneeId=other_id)
    after = (await read_report(manager, days_of(shop)))["agents"]
    await other.do(assign, id=handed)
    nobody = (await read_report(manager, days_of(shop)))["agents"]

    counts = {"openNow": 0, "tickets": 1, "resolved": 1, "reopenRate": 0.0, "rated": 0, "averageRating": None}
    assert before == [{"agent": {"id": agent_id}} | counts]
    assert after == [{"agent": {"id": other_id}} | counts]
    assert nobody == []


async def test_only_managers_read_the_report(clients: Clients) -> None:
    days = {"from": "2026-01-01", "to": "2026-01-31"}
    for role in (Role.SUPPORT, Role.WAREHOUSE, Role.CATALOGUE):
        answer = await (await clients.staff(role)).ask(REPORT, **days)
        assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_whoever_counts_a_day_twice_changes_nothing(
    case: TicketCase, shop: Shop, clock: Clock, session: AsyncSession
) -> None:
    await ask_question(case, "one")
    zone = shop.settings.locale.zone
    today: date = shop.clock().astimezone(zone).date()
    for _ in range(2):
        async with shop.database.writes.begin() as writing:
            await recount_days(writing, [today, today + DAY], zone=zone)
    assert (await session.scalars(select(TicketDay.opened).order_by(TicketDay.day))).all() == [1, 0]
    assert (await session.scalars(select(Ticket.recount_at))).all() == [None]
