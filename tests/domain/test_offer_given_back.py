"""Units of a flash sale that are cancelled can be had at its price again, each once."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import DomainError, ErrorCode
from domain.offer import Draft, Known, save_offer
from domain.order import cancel_order, close_unpaid
from events.shop import Shop
from models import (
    Account,
    Offer,
    OfferBuyer,
    OfferKind,
    OfferUse,
    Order,
    OrderStatus,
    StockLevel,
    TicketReason,
    TicketStatus,
    TicketType,
    Variant,
)
from tests.domain.test_order_change import cancel, lines_of
from tests.factories.account import create_account
from tests.factories.aftersales import create_ticket
from tests.factories.offer import flash_sale
from tests.factories.order import CASH, NOW, PAY_WITHIN, a_variant, create_order, pay

pytestmark = pytest.mark.usefixtures("audited")


async def sold(session: AsyncSession) -> int:
    return (await session.scalars(select(Offer.sold).where(Offer.share.is_not(None)))).one()


async def had(session: AsyncSession, account: Account) -> tuple[int, int]:
    """Uses and units of one buyer."""
    row = await session.execute(
        select(OfferBuyer.uses, OfferBuyer.flash_units).where(OfferBuyer.account_id == account.id)
    )
    uses, units = row.one()
    return uses, units


async def test_a_buyer_may_have_cancelled_units_at_the_special_price_again(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        buyer, tea = await create_account(session), await a_variant(session)
        await flash_sale(session, tea, price=4_900, share=5, per_buyer=3)
        order = await create_order(session, account=buyer, lines=[(tea, 3)])
        assert (await sold(session), await had(session, buyer)) == (3, (1, 3))

        await cancel(session, order, 2)
        assert (await sold(session), await had(session, buyer)) == (1, (1, 1))

        again = await create_order(session, account=buyer, lines=[(tea, 3)])
        assert (await sold(session), await had(session, buyer)) == (3, (2, 3))

    assert (again.goods_amount, again.discount_amount) == (3 * 9_900, 2 * 5_000)


async def test_of_a_line_partly_at_the_special_price_its_units_leave_as_its_money_does(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        buyer, tea = await create_account(session), await a_variant(session)
        await flash_sale(session, tea, price=4_900, share=2)
        order = await create_order(session, account=buyer, lines=[(tea, 5)])
        left = [(await sold(session), order.total_amount)]
        for _ in range(4):
            await cancel(session, order, 1)
            left.append((await sold(session), order.total_amount))
        await cancel(session, order, 1)

        assert left == [(2, 39_500), (2, 31_600), (2, 23_700), (2, 15_800), (1, 7_900)]
        assert (order.status, await sold(session)) == (OrderStatus.CANCELLED, 0)


async def test_a_sale_of_which_an_order_has_nothing_left_counts_as_not_used(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        buyer, tea, cup = await create_account(session), await a_variant(session), await a_variant(session)
        await flash_sale(
            session, tea, price=4_900, share=5, per_buyer=2, usage_limit=1, usage_limit_per_buyer=1
        )
        order = await create_order(session, account=buyer, lines=[(tea, 2), (cup, 1)])
        await cancel(session, order, 2)
        used = await session.scalar(select(Offer.used))
        assert (used, await sold(session), await had(session, buyer)) == (0, 0, (0, 0))

        again = await create_order(session, account=buyer, lines=[(tea, 2)])
        await cancel_order(session, order.id, reason="The cup, too.", now=NOW)

        used = await session.scalar(select(Offer.used))
        assert (used, await sold(session), await had(session, buyer)) == (1, 2, (1, 2))
    assert again.discount_amount == 2 * 5_000


async def test_a_limit_that_was_lifted_and_is_set_again_counts_what_stands(shop: Shop) -> None:
    draft = Draft(title="Spring", kind=OfferKind.PERCENT, percent=10, code="SPRING-10", translations={})
    async with shop.database.writes.begin() as session:
        coupon = await save_offer(session, replace(draft, usage_limit=5), known=None, now=NOW)
        orders = [await create_order(session, coupon_code=coupon.code) for _ in range(3)]
        await save_offer(session, draft, known=Known(coupon.id, None), now=NOW)
        await cancel_order(session, orders[0].id, reason="No.", now=NOW)

        with pytest.raises(DomainError, match="used 2 times already"):
            await save_offer(session, replace(draft, usage_limit=1), known=Known(coupon.id, None), now=NOW)
        await save_offer(session, replace(draft, usage_limit=2), known=Known(coupon.id, None), now=NOW)

        assert coupon.used == 2


async def test_units_a_ticket_takes_off_before_they_leave_can_be_had_again_too(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        tea = await a_variant(session)
        await flash_sale(session, tea, price=4_900, share=5)
        order = await create_order(session, lines=[(tea, 3)])
        await pay(session, order)
        [line] = await lines_of(session, order)
        await create_ticket(
            session,
            order=order,
            type=TicketType.REFUND_ONLY,
            reason=TicketReason.NO_REASON,
            lines=[(line, 2)],
            status=TicketStatus.REFUNDING,
        )
        assert await sold(session) == 1


async def test_units_that_were_sent_and_come_back_stay_sold(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        tea = await a_variant(session)
        await flash_sale(session, tea, price=4_900, share=5)
        order = await create_order(session, lines=[(tea, 3)], status=OrderStatus.COMPLETED)
        [line] = await lines_of(session, order)
        await create_ticket(
            session,
            order=order,
            type=TicketType.REFUND_ONLY,
            lines=[(line, 2)],
            status=TicketStatus.REFUNDING,
        )
        assert await sold(session) == 3


Act = Callable[[AsyncSession], Awaitable[object]]


async def at_once(shop: Shop, *acts: Act) -> list[BaseException]:
    """Each in a transaction of its own, side by side; what was refused."""

    async def alone(act: Act) -> None:
        async with shop.database.writes.begin() as session:
            await act(session)

    outcomes = await asyncio.gather(*(alone(act) for act in acts), return_exceptions=True)
    return [outcome for outcome in outcomes if outcome is not None]


async def an_order_of(shop: Shop, units: int) -> tuple[Order, Variant]:
    """Of units at the special price, of which one buyer may have no more."""
    async with shop.database.writes.begin() as session:
        tea = await a_variant(session)
        await flash_sale(session, tea, price=4_900, share=10, per_buyer=units)
        return await create_order(session, lines=[(tea, units)]), tea


async def left_of(shop: Shop, tea: Variant) -> tuple[int, int, int, int]:
    """What of the share is sold, what its buyer has had, what orders have of it, and what is set aside."""
    async with shop.database.reads() as session:
        standing = select(func.sum(OfferUse.flash_units)).where(OfferUse.released_at.is_(None))
        aside = select(StockLevel.reserved).where(StockLevel.variant_id == tea.id)
        counted = await session.scalar(select(OfferBuyer.flash_units))
        return (
            await sold(session),
            counted or 0,
            await session.scalar(standing) or 0,
            await session.scalar(aside) or 0,
        )


@pytest.mark.parametrize(("each", "done", "left"), [(1, 3, 2), (2, 2, 1), (3, 1, 2)])
async def test_parts_of_one_line_cancelled_at_once_go_back_once_each(
    shop: Shop, each: int, done: int, left: int
) -> None:
    order, tea = await an_order_of(shop, 5)

    refused = await at_once(shop, *[lambda session: cancel(session, order, each)] * 3)

    assert len(refused) == 3 - done
    assert {error.code for error in refused if isinstance(error, DomainError)} <= {ErrorCode.NOT_ELIGIBLE}
    assert await left_of(shop, tea) == (left, left, left, left)


@pytest.mark.parametrize("attempt", range(4))
async def test_a_part_cancelled_while_the_order_ends_goes_back_once(shop: Shop, attempt: int) -> None:
    order, tea = await an_order_of(shop, 3)
    ends: list[Act] = [
        lambda session: close_unpaid(session, [order.id], now=NOW + PAY_WITHIN),
        lambda session: cancel_order(session, order.id, reason="late", now=NOW),
    ]
    acts: list[Act] = [ends[attempt // 2], lambda session: cancel(session, order, 1)]

    refused = await at_once(shop, *(acts if attempt % 2 else reversed(acts)))
    if attempt // 2 == 0:  # an order that somebody held is left to the next look
        refused += await at_once(shop, ends[0])

    assert all(isinstance(error, DomainError) and error.code is ErrorCode.WRONG_STATE for error in refused)
    assert await left_of(shop, tea) == (0, 0, 0, 0)
    async with shop.database.reads() as session:
        assert (await session.get_one(Order, order.id)).status is OrderStatus.CANCELLED


async def test_the_share_is_never_oversold_while_some_cancel_and_others_buy(shop: Shop) -> None:
    order, tea = await an_order_of(shop, 10)
    async with shop.database.writes.begin() as session:
        buyers = [await create_account(session) for _ in range(4)]

    def buy(buyer: Account) -> Act:
        return lambda session: create_order(session, account=buyer, lines=[(tea, 1)], payments={CASH: 4_900})

    cancels: list[Act] = [lambda session: cancel(session, order, 1)] * 2
    refused = await at_once(shop, *cancels, *map(buy, buyers))

    assert all(isinstance(error, DomainError) for error in refused)
    async with shop.database.reads() as session:
        standing = select(func.sum(OfferUse.flash_units)).where(OfferUse.released_at.is_(None))
        bought = await session.scalar(select(func.count(Order.id))) or 0
        assert await sold(session) == await session.scalar(standing) == 8 + bought - 1 <= 10
        assert bought - 1 == 4 - len(refused)
