"""All that can be asked for of an order, in one call."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.claim_facts import load_order_facts
from domain.aftersales.policies import OrderLineTerms
from domain.aftersales.quote import quote_lines
from domain.aftersales.withdrawal import load_sending_plan
from domain.cause import Cause
from domain.payment.cash import collect_cash
from events.aftersales import deadlines_of
from events.shop import Shop
from models import ClaimPolicy, ClaimTerms, DeliveryLine, OrderStatus, Role
from resolvers.ids import global_id
from tests.api.aftersales.documents import TicketCase
from tests.clients import Client, Clients
from tests.factories.aftersales import create_ticket, order_lines_of
from tests.factories.order import CASH, SANDBOX, a_variant, arrive, create_order, dispatch, pay, payments_of
from tests.observe import count_statements

SEEN = """type reason eligible refusal { code message } deadline opensAt needsPicture
  lines { line { id title } quantity left refund { amount } deadline }
  shipping { amount } cancelled { amount } refund { amount }
  legs { payment { id method } refund { amount } }"""
ONE = f"query($input: TicketQuoteInput!) {{ ticketQuote(input: $input) {{ {SEEN} }} }}"
ALL = f"""query($orderId: ID!, $types: [TicketType!]) {{
  ticketQuotes(orderId: $orderId, types: $types) {{ {SEEN} }} }}"""
PAIRS = 23
"""Reasons with the types they go with, questions left out."""


async def ask_one(client: Client, order_id: str, quote: dict[str, Any]) -> dict[str, Any]:
    [line] = quote["lines"]
    given = {"orderLineId": line["line"]["id"], "quantity": line["quantity"]}
    claim = {"orderId": order_id, "type": quote["type"], "reason": quote["reason"], "lines": [given]}
    found: dict[str, Any] = (await client.get(ONE, input=claim))["ticketQuote"]
    return found


async def test_one_call_says_for_each_line_and_type_what_each_question_would(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    customer = await clients.customer()
    variants = [
        await a_variant(session, title=title, sells_when_out=waits, stock={"MAIN": 0 if waits else 9})
        for title, waits in (("Teapot", False), ("Cup", False), ("Tray", True))
    ]
    order = await create_order(
        session,
        account=customer.account,
        status=OrderStatus.PENDING,
        lines=[(variants[0], 3), (variants[1], 1), (variants[2], 2)],
        payments={SANDBOX: None, CASH: 2_000},
        now=shop.clock(),
    )
    await pay(session, order, now=shop.clock())
    cash = next(each for each in await payments_of(session, order) if each.method is CASH)
    for shipment in await dispatch(session, order, now=shop.clock()):
        await arrive(session, shipment, now=shop.clock())
        due = order.money(shipment.cash_amount or 0)
        await collect_cash(session, cash.id, due, cause=Cause(shop.clock()))
    lines = await order_lines_of(session, order)
    await create_ticket(session, order=order, lines=[(lines[0], 1)], now=shop.clock())
    await session.commit()
    order_id = global_id("Order", order.id)

    quotes = (await customer.get(ALL, orderId=order_id))["ticketQuotes"]

    assert [quote["lines"][0]["line"]["title"] for quote in quotes] == [
        title for title in ("Teapot", "Cup", "Tray") for _ in range(PAIRS)
    ]
    assert quotes == [await ask_one(customer, order_id, quote) for quote in quotes]
    refusals = Counter(quote["refusal"] and quote["refusal"]["code"] for quote in quotes)
    assert refusals == {
        None: 39,
        "ALREADY_SHIPPED": 2,
        "NOT_SHIPPED": 2,
        "NOT_DELIVERED": 20,
        "TOO_EARLY": 4,
        "SAME_AGAIN": 2,
    }
    assert {len(quote["legs"]) for quote in quotes} == {0, 2}


async def test_all_quotes_cost_the_same_however_many_lines_there_are(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    customer = await clients.customer()
    orders = []
    for count in (1, 4):
        variants = [await a_variant(session) for _ in range(count)]
        orders.append(
            await create_order(
                session,
                account=customer.account,
                status=OrderStatus.COMPLETED,
                lines=[(each, 2) for each in variants],
                now=shop.clock(),
            )
        )
    await session.commit()
    totals = []
    for order, count in zip(orders, (1, 4), strict=True):
        with count_statements(shop) as counted:
            found = await customer.get(ALL, orderId=global_id("Order", order.id))
        assert len(found["ticketQuotes"]) == PAIRS * count
        totals.append(counted.total)

    assert totals[0] == totals[1] <= 16


async def test_only_some_types_are_told_and_nothing_of_an_order_of_others(
    case: TicketCase, clients: Clients
) -> None:
    order_id = global_id("Order", case.order.id)
    few = (await case.customer.get(ALL, orderId=order_id, types=["EXCHANGE", "QUESTION"]))["ticketQuotes"]

    assert {(quote["type"], quote["lines"][0]["quantity"]) for quote in few} == {("EXCHANGE", 3)}
    assert len((await case.agent.get(ALL, orderId=order_id))["ticketQuotes"]) == PAIRS
    for stranger in (await clients.customer(), await clients.staff(Role.WAREHOUSE), clients.guest()):
        for missing in (order_id, global_id("Order", 999_999)):
            reply = await stranger.ask(ALL, orderId=missing)
            assert not (reply["data"] or {}).get("ticketQuotes")


@pytest.mark.parametrize(
    ("arrives", "language", "message"),
    [
        (True, "en", "Cup has arrived already: ask to return it instead."),
        (True, "zh-CN", "Cup已经送达，请改为申请退货。"),
        (False, "en", "Cup has been packed or sent: return it when it has arrived."),
        (False, "zh-CN", "Cup已打包或发出，请收到后再申请退货。"),
    ],
)
async def test_what_has_left_is_not_withdrawn_and_whether_it_has_arrived_is_said(
    arrives: bool, language: str, message: str, clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    customer = await clients.customer()
    order = await create_order(
        session,
        account=customer.account,
        status=OrderStatus.CONFIRMED,
        lines=[(await a_variant(session, title="Cup"), 2)],
        now=shop.clock(),
    )
    for shipment in await dispatch(session, order, now=shop.clock()):
        if arrives:
            await arrive(session, shipment, now=shop.clock())
    [line] = await order_lines_of(session, order)
    await session.commit()
    customer.headers["Accept-Language"] = language
    found = (
        await customer.get(
            ONE,
            input={
                "orderId": global_id("Order", order.id),
                "type": "REFUND_ONLY",
                "reason": "NO_REASON",
                "lines": [{"orderLineId": global_id("OrderLine", line.id), "quantity": 2}],
            },
        )
    )["ticketQuote"]

    assert (found["eligible"], found["refusal"]) == (
        False,
        {"code": "ALREADY_SHIPPED", "message": message},
    )


class CountedPolicies(dict[str, ClaimPolicy]):
    """Policies that count how often they are looked for."""

    def __init__(self, policies: Mapping[str, ClaimPolicy]) -> None:
        super().__init__(policies)
        self.looked_for = 0

    def __contains__(self, scope: object) -> bool:
        self.looked_for += 1
        return super().__contains__(scope)


class CountedLines(list[DeliveryLine]):
    """Lines of deliveries that count how often all of them are gone through."""

    gone_through = 0

    def __iter__(self) -> Iterator[DeliveryLine]:
        self.gone_through += 1
        return super().__iter__()


async def test_a_line_takes_as_long_however_many_others_there_are(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    customer, looked_for = await clients.customer(), []
    for count in (3, 12):
        variants = [await a_variant(session) for _ in range(count)]
        order = await create_order(
            session,
            account=customer.account,
            status=OrderStatus.CONFIRMED,
            lines=[(each, 2) for each in variants],
            now=shop.clock(),
        )
        facts = await load_order_facts(session, order)
        policies = CountedPolicies(facts.terms.terms.policies)
        terms = OrderLineTerms(ClaimTerms(policies), facts.terms.lines)
        plan = await load_sending_plan(session, order)
        lines = CountedLines(plan.lines)
        quotes = quote_lines(
            replace(facts, terms=terms),
            replace(plan, lines=lines),
            deadlines_of(shop.settings),
            asked_at=shop.clock(),
        )
        assert len(quotes) == PAIRS * count
        assert lines.gone_through == 2  # once for each way in which they are looked up
        looked_for.append(policies.looked_for)
    await session.commit()

    assert looked_for[1] == 4 * looked_for[0]
