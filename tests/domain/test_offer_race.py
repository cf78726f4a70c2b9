"""Offers that many want at the same moment: real transactions, side by side."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from domain.cart import Owner
from domain.errors import DomainError, ErrorCode
from domain.offer import OfferGone
from domain.order import Promise, SoldMeanwhile, WantedLine, Wish, cancel_order, close_unpaid, place_order
from events.shop import Shop
from models import Account, Offer, OfferBuyer, OfferUse, Order, Variant
from tests.factories.account import create_account
from tests.factories.cart import create_coupon
from tests.factories.offer import flash_sale
from tests.factories.order import (
    HANGZHOU,
    NOW,
    OFFERED,
    PAY_WITHIN,
    SANDBOX,
    a_variant,
    create_order,
    deliver_to,
    promise_for,
)

pytestmark = pytest.mark.usefixtures("audited")

Outcome = Order | BaseException
TEN_MINUTES = timedelta(minutes=10)


def wish_of(account: Account, variant: Variant, code: str | None = None) -> Wish:
    return Wish(
        Owner(account.id, None),
        lines=[WantedLine(variant.id, 1)],
        deliveries=[deliver_to(HANGZHOU)],
        coupon_codes=[code] if code else None,
    )


async def place(shop: Shop, wish: Wish, promise: Promise, number: str) -> Order:
    """As the front door does: one more look where somebody was quicker."""
    for attempt in range(2):
        try:
            async with shop.database.writes.begin() as session:
                return await place_order(
                    session, wish, promise, number=number, offered=OFFERED, pay_within=PAY_WITHIN, now=NOW
                )
        except (SoldMeanwhile, OfferGone):
            if attempt:
                raise
    raise AssertionError


async def all_at_once(shop: Shop, wishes: Sequence[tuple[Wish, Promise]]) -> list[Outcome]:
    return list(
        await asyncio.gather(
            *(place(shop, wish, promise, f"O{i}") for i, (wish, promise) in enumerate(wishes)),
            return_exceptions=True,
        )
    )


def orders(outcomes: Sequence[Outcome]) -> list[Order]:
    return [outcome for outcome in outcomes if isinstance(outcome, Order)]


def refusals(outcomes: Sequence[Outcome]) -> list[ErrorCode]:
    refused = [outcome for outcome in outcomes if not isinstance(outcome, Order)]
    assert all(isinstance(outcome, DomainError) for outcome in refused), refused
    return [outcome.code for outcome in refused if isinstance(outcome, DomainError)]


async def test_the_last_use_of_a_code_goes_to_one_of_eight(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        await create_coupon(session, code="LAST", usage_limit=1)
        variant = await a_variant(session)
        wishes = []
        for _ in range(8):
            wish = wish_of(await create_account(session), variant, "LAST")
            wishes.append((wish, await promise_for(session, wish, {SANDBOX: None})))

    outcomes = await all_at_once(shop, wishes)

    assert len(orders(outcomes)) == 1
    assert set(refusals(outcomes)) == {ErrorCode.COUPON_REFUSED}
    async with shop.database.reads() as session:
        assert await session.scalar(select(Offer.used)) == 1
        assert await session.scalar(select(func.count()).select_from(OfferUse)) == 1


async def test_one_customer_with_many_devices_uses_a_code_once(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        await create_coupon(session, code="ONCE", usage_limit_per_buyer=1)
        account, variant = await create_account(session), await a_variant(session)
        wishes = []
        for _ in range(4):
            wish = wish_of(account, variant, "ONCE")
            wishes.append((wish, await promise_for(session, wish, {SANDBOX: None})))

    outcomes = await all_at_once(shop, wishes)

    assert len(orders(outcomes)) == 1
    assert set(refusals(outcomes)) == {ErrorCode.COUPON_REFUSED}
    async with shop.database.reads() as session:
        assert await session.scalar(select(OfferBuyer.uses)) == 1


async def test_a_share_of_ten_is_sold_ten_times_at_the_special_price(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        variant = await a_variant(session, stock={"MAIN": 100})
        sale = await flash_sale(session, variant, price=4_900, share=10)
        wishes = []
        for _ in range(30):
            wish = wish_of(await create_account(session), variant)
            wishes.append((wish, await promise_for(session, wish, {SANDBOX: None})))

    outcomes = await all_at_once(shop, wishes)

    assert len(orders(outcomes)) == 10
    assert set(refusals(outcomes)) == {ErrorCode.AMOUNT_MISMATCH}
    async with shop.database.reads() as session:
        assert await session.scalar(select(Offer.sold).where(Offer.id == sale.id)) == 10
        assert await session.scalar(select(func.sum(OfferUse.flash_units))) == 10
        assert set(await session.scalars(select(Order.goods_amount - Order.discount_amount))) == {4_900}


async def test_a_flash_order_is_closed_after_ten_minutes_and_gives_its_share_back(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        account, variant = await create_account(session), await a_variant(session)
        await flash_sale(session, variant, price=4_900, share=1, per_buyer=1)
        order = await create_order(session, account=account, lines=[(variant, 1)])
        assert order.payment_due_at == NOW + TEN_MINUTES
        assert await session.scalar(select(Offer.sold)) == 1
        assert await close_unpaid(session, [order.id], now=NOW + TEN_MINUTES)

    async with shop.database.writes.begin() as session:
        assert await session.scalar(select(Offer.sold)) == 0
        had = (await session.execute(select(OfferBuyer.uses, OfferBuyer.flash_units))).one()
        assert tuple(had) == (0, 0)
        again = await create_order(session, account=account, lines=[(variant, 1)])
        assert again.discount_amount == 5_000


async def test_a_coupon_of_a_cancelled_order_can_be_used_again_and_only_once(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        account, variant = await create_account(session), await a_variant(session)
        await create_coupon(session, code="ONCE", usage_limit=1, usage_limit_per_buyer=1)
        given: dict[str, object] = {"account": account, "lines": [(variant, 1)], "coupon_code": "ONCE"}
        first = await create_order(session, **given)  # type: ignore[arg-type]
        await cancel_order(session, first.id, reason="Too late.", now=NOW, by=account.id)
        second = await create_order(session, **given)  # type: ignore[arg-type]

        assert (first.discount_amount, second.discount_amount) == (990, 990)
        assert await session.scalar(select(Offer.used)) == 1
        released = await session.execute(select(OfferUse.order_id).where(OfferUse.released_at.is_not(None)))
        assert list(released.scalars()) == [first.id]
