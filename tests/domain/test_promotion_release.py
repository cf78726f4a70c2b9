"""Cancelled units of a flash sale can be bought at its price again, each once."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.errors import DomainError, ErrorCode
from domain.order import cancel_order, cancel_overdue_orders
from domain.promotion import PromotionDraft, PromotionVersion, save_promotion
from events.shop import Shop
from models import (
    Account,
    Order,
    OrderStatus,
    Promotion,
    PromotionBuyer,
    PromotionKind,
    PromotionUse,
    StockLevel,
    TicketReason,
    TicketStatus,
    TicketType,
    Variant,
)
from tests.domain.test_order_lifecycle import cancel, lines_of
from tests.factories.account import create_account
from tests.factories.aftersales import create_ticket
from tests.factories.order import CASH, NOW, PAY_WITHIN, a_variant, create_order, pay
from tests.factories.promotion import create_flash_sale

pytestmark = pytest.mark.usefixtures("audit_at_end")


async def units_sold(session: AsyncSession) -> int:
    return (await session.scalars(select(Promotion.sold).where(Promotion.share.is_not(None)))).one()


async def usage_of(session: AsyncSession, account: Account) -> tuple[int, int]:
    """Uses and units of one buyer."""
    row = await session.execute(
        select(PromotionBuyer.uses, PromotionBuyer.flash_units).where(PromotionBuyer.account_id == account.id)
    )
    uses, units = row.one()
    return uses, units


async def test_a_buyer_may_buy_cancelled_units_at_the_special_price_again(
    shop: Shop, session: AsyncSession
) -> None:
    buyer, tea = await create_account(session), await a_variant(session)
    await create_flash_sale(session, tea, price=4_900, share=5, per_buyer=3)
    order = await create_order(session, account=buyer, lines=[(tea, 3)])
    assert (await units_sold(session), await usage_of(session, buyer)) == (3, (1, 3))

    await cancel(session, order, 2)
    assert (await units_sold(session), await usage_of(session, buyer)) == (1, (1, 1))

    again = await create_order(session, account=buyer, lines=[(tea, 3)])
    assert (await units_sold(session), await usage_of(session, buyer)) == (3, (2, 3))
    await session.commit()

    assert (again.subtotal_amount, again.discount_amount) == (3 * 9_900, 2 * 5_000)


async def test_a_line_partly_at_the_special_price_releases_units_in_proportion_to_its_money(
    shop: Shop,
    session: AsyncSession,
) -> None:
    buyer, tea = await create_account(session), await a_variant(session)
    await create_flash_sale(session, tea, price=4_900, share=2)
    order = await create_order(session, account=buyer, lines=[(tea, 5)])
    left = [(await units_sold(session), order.total_amount)]
    for _ in range(4):
        await cancel(session, order, 1)
        left.append((await units_sold(session), order.total_amount))
    await cancel(session, order, 1)

    assert left == [(2, 39_500), (2, 31_600), (2, 23_700), (2, 15_800), (1, 7_900)]
    assert (order.status, await units_sold(session)) == (OrderStatus.CANCELLED, 0)
    await session.commit()


async def test_a_flash_sale_of_which_an_order_has_nothing_left_counts_as_not_used(
    shop: Shop, session: AsyncSession
) -> None:
    buyer, tea, cup = await create_account(session), await a_variant(session), await a_variant(session)
    await create_flash_sale(
        session, tea, price=4_900, share=5, per_buyer=2, usage_limit=1, usage_limit_per_buyer=1
    )
    order = await create_order(session, account=buyer, lines=[(tea, 2), (cup, 1)])
    await cancel(session, order, 2)
    used = await session.scalar(select(Promotion.used))
    assert (used, await units_sold(session), await usage_of(session, buyer)) == (0, 0, (0, 0))

    again = await create_order(session, account=buyer, lines=[(tea, 2)])
    await cancel_order(session, order.id, reason="The cup, too.", cause=Cause(NOW))

    used = await session.scalar(select(Promotion.used))
    assert (used, await units_sold(session), await usage_of(session, buyer)) == (1, 2, (1, 2))
    await session.commit()
    assert again.discount_amount == 2 * 5_000


async def test_a_limit_that_was_removed_and_is_set_again_counts_the_uses_that_were_not_released(
    shop: Shop,
    session: AsyncSession,
) -> None:
    draft = PromotionDraft(
        title="Spring", kind=PromotionKind.PERCENT, percent=10, code="SPRING-10", translations={}
    )
    coupon = await save_promotion(session, replace(draft, usage_limit=5), expected=None, now=NOW)
    orders = [await create_order(session, coupon_code=coupon.code) for _ in range(3)]
    await save_promotion(session, draft, expected=PromotionVersion(coupon.id, None), now=NOW)
    await cancel_order(session, orders[0].id, reason="No.", cause=Cause(NOW))

    with pytest.raises(DomainError, match="used 2 times already"):
        await save_promotion(
            session, replace(draft, usage_limit=1), expected=PromotionVersion(coupon.id, None), now=NOW
        )
    await save_promotion(
        session, replace(draft, usage_limit=2), expected=PromotionVersion(coupon.id, None), now=NOW
    )

    assert coupon.used == 2
    await session.commit()


async def test_units_a_ticket_cancels_before_dispatch_are_released_too(
    shop: Shop, session: AsyncSession
) -> None:
    tea = await a_variant(session)
    await create_flash_sale(session, tea, price=4_900, share=5)
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
    assert await units_sold(session) == 1
    await session.commit()


async def test_units_that_were_sent_and_returned_stay_sold(shop: Shop, session: AsyncSession) -> None:
    tea = await a_variant(session)
    await create_flash_sale(session, tea, price=4_900, share=5)
    order = await create_order(session, lines=[(tea, 3)], status=OrderStatus.COMPLETED)
    [line] = await lines_of(session, order)
    await create_ticket(
        session,
        order=order,
        type=TicketType.REFUND_ONLY,
        lines=[(line, 2)],
        status=TicketStatus.REFUNDING,
    )
    assert await units_sold(session) == 3
    await session.commit()


Command = Callable[[AsyncSession], Awaitable[object]]


async def run_at_once(shop: Shop, *commands: Command) -> list[BaseException]:
    """Run each command in a transaction of its own, concurrently; returns what was raised."""

    async def run(command: Command) -> None:
        async with shop.database.writes.begin() as session:
            await command(session)

    outcomes = await asyncio.gather(*(run(command) for command in commands), return_exceptions=True)
    return [outcome for outcome in outcomes if outcome is not None]


async def order_of(shop: Shop, units: int) -> tuple[Order, Variant]:
    """An order of so many units at the special price, which is all one buyer may have."""
    async with shop.database.writes.begin() as session:
        tea = await a_variant(session)
        await create_flash_sale(session, tea, price=4_900, share=10, per_buyer=units)
        return await create_order(session, lines=[(tea, units)]), tea


async def flash_sale_counts(shop: Shop, tea: Variant) -> tuple[int, int, int, int]:
    """Units of a flash sale by each count: sold, its buyer's, its uses', and reserved stock."""
    async with shop.database.reads() as session:
        unreleased = select(func.sum(PromotionUse.flash_units)).where(PromotionUse.released_at.is_(None))
        reserved = select(StockLevel.reserved).where(StockLevel.variant_id == tea.id)
        counted = await session.scalar(select(PromotionBuyer.flash_units))
        return (
            await units_sold(session),
            counted or 0,
            await session.scalar(unreleased) or 0,
            await session.scalar(reserved) or 0,
        )


@pytest.mark.parametrize(("each", "done", "left"), [(1, 3, 2), (2, 2, 1), (3, 1, 2)])
async def test_parts_of_one_line_cancelled_at_the_same_moment_are_released_once_each(
    shop: Shop, each: int, done: int, left: int
) -> None:
    order, tea = await order_of(shop, 5)

    refused = await run_at_once(shop, *[lambda session: cancel(session, order, each)] * 3)

    assert len(refused) == 3 - done
    assert {error.code for error in refused if isinstance(error, DomainError)} <= {ErrorCode.NOT_ELIGIBLE}
    assert await flash_sale_counts(shop, tea) == (left, left, left, left)


@pytest.mark.parametrize("attempt", range(4))
async def test_a_part_cancelled_while_the_order_ends_is_released_once(shop: Shop, attempt: int) -> None:
    order, tea = await order_of(shop, 3)
    ends: list[Command] = [
        lambda session: cancel_overdue_orders(session, [order.id], cause=Cause(NOW + PAY_WITHIN)),
        lambda session: cancel_order(session, order.id, reason="late", cause=Cause(NOW)),
    ]
    commands: list[Command] = [ends[attempt // 2], lambda session: cancel(session, order, 1)]

    refused = await run_at_once(shop, *(commands if attempt % 2 else reversed(commands)))
    if attempt // 2 == 0:  # an order that somebody held is left to the next look
        refused += await run_at_once(shop, ends[0])

    assert all(isinstance(error, DomainError) and error.code is ErrorCode.WRONG_STATE for error in refused)
    assert await flash_sale_counts(shop, tea) == (0, 0, 0, 0)
    async with shop.database.reads() as session:
        assert (await session.get_one(Order, order.id)).status is OrderStatus.CANCELLED


async def test_a_flash_sale_is_never_oversold_while_some_cancel_and_others_buy(
    shop: Shop, session: AsyncSession
) -> None:
    order, tea = await order_of(shop, 10)
    buyers = [await create_account(session) for _ in range(4)]
    await session.commit()

    def buy(buyer: Account) -> Command:
        return lambda session: create_order(session, account=buyer, lines=[(tea, 1)], payments={CASH: 4_900})

    cancels: list[Command] = [lambda session: cancel(session, order, 1)] * 2
    refused = await run_at_once(shop, *cancels, *map(buy, buyers))

    assert all(isinstance(error, DomainError) for error in refused)
    async with shop.database.reads() as session:
        unreleased = select(func.sum(PromotionUse.flash_units)).where(PromotionUse.released_at.is_(None))
        bought = await session.scalar(select(func.count(Order.id))) or 0
        assert await units_sold(session) == await session.scalar(unreleased) == 8 + bought - 1 <= 10
        assert bought - 1 == 4 - len(refused)
