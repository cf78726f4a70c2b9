"""Quoting and placing orders."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.audit import audit_books
from domain.cart import CartOwner
from domain.errors import DomainError, ErrorCode
from domain.order import (
    OrderRequest,
    RequestedDelivery,
    quote_order,
)
from events.shop import Shop
from models import (
    Cart,
    CartLine,
    CurrencyCode,
    Delivery,
    DeliveryLine,
    FulfilmentStatus,
    Money,
    Order,
    OrderLine,
    OrderPaymentStatus,
    OrderStatus,
    ProductStatus,
    Promotion,
    PromotionUse,
    ShippingMethod,
    StockLevel,
)
from tests.factories.account import create_account, create_address
from tests.factories.cart import create_cart, create_coupon
from tests.factories.catalog import create_product, variant_of
from tests.factories.order import (
    CASH,
    CHENGDU,
    HANGZHOU,
    NOW,
    PAY_WITHIN,
    SANDBOX,
    a_variant,
    create_order,
    deliver_to,
    events_of,
    payments_of,
    place,
    plan_for,
    request_for,
)
from tests.factories.promotion import create_flash_sale, create_percent
from tests.factories.stock import reserved_units
from tests.observe import count_statements


async def test_an_order_is_made_of_snapshots(shop: Shop, session: AsyncSession) -> None:
    product = await create_product(
        session, title="Oolong", options={"Size": "250 g"}, sku="TEA-1", weight_grams=300
    )
    variant = await variant_of(session, product)
    order = await create_order(session, lines=[(variant, 2)], note="Ring twice.")
    product.title = "Something else"
    line = (await session.scalars(select(OrderLine).where(OrderLine.order_id == order.id))).one()
    delivery = (await session.scalars(select(Delivery).where(Delivery.order_id == order.id))).one()
    [payment] = await payments_of(session, order)
    await session.commit()

    assert (order.status, order.payment_status) == (OrderStatus.PENDING, OrderPaymentStatus.UNPAID)
    assert order.fulfilment_status is FulfilmentStatus.UNFULFILLED
    assert (order.subtotal_amount, order.discount_amount, order.shipping_amount) == (19_800, 0, 0)
    assert (order.total_amount, order.version, order.note) == (19_800, 1, "Ring twice.")
    assert order.payment_due_at == NOW + PAY_WITHIN
    assert (line.title, line.sku, line.options) == ("Oolong", "TEA-1", [{"name": "Size", "value": "250 g"}])
    assert (line.unit_amount, line.quantity, line.weight_grams) == (9_900, 2, 300)
    assert line.picture_url == f"https://pictures.test/{product.slug}-1.jpg"
    assert (delivery.recipient, delivery.city, delivery.method) == ("林梅", "杭州市", ShippingMethod.STANDARD)
    assert (payment.method, payment.amount, payment.reference) == (SANDBOX, 19_800, f"{order.number}-1")


async def test_stock_is_reserved_where_the_parcel_will_leave(shop: Shop, session: AsyncSession) -> None:
    variant = await a_variant(session, stock={"MAIN": 5})
    order = await create_order(session, lines=[(variant, 3)])
    line = (await session.scalars(select(DeliveryLine))).one()
    level = (await session.scalars(select(StockLevel))).one()
    assert await audit_books(session) == []
    await session.commit()

    assert (line.quantity, line.packed, line.reserved) == (3, 0, True)
    assert (level.on_hand, level.reserved, level.warehouse_id) == (5, 3, line.warehouse_id)
    assert order.version == 1


async def test_variants_without_a_limit_are_not_reserved(shop: Shop, session: AsyncSession) -> None:
    variant = await a_variant(session, stock={}, tracked=False)
    await create_order(session, lines=[(variant, 3)])
    line = (await session.scalars(select(DeliveryLine))).one()
    assert await audit_books(session) == []
    await session.commit()

    assert (line.quantity, line.reserved) == (3, False)


async def test_one_line_may_go_to_two_addresses(shop: Shop, session: AsyncSession) -> None:
    variant = await a_variant(session)
    deliveries = [
        deliver_to(HANGZHOU, [(variant, 1)]),
        deliver_to(CHENGDU, [(variant, 2)], method=ShippingMethod.EXPRESS),
    ]
    order = await create_order(session, lines=[(variant, 3)], deliveries=deliveries)
    rows = (
        await session.execute(
            select(Delivery.city, Delivery.fee_amount, DeliveryLine.quantity)
            .join(DeliveryLine, DeliveryLine.delivery_id == Delivery.id)
            .order_by(Delivery.position)
        )
    ).all()
    await session.commit()

    assert [tuple(row) for row in rows] == [("杭州市", 0, 1), ("成都市", 1_800, 2)]
    assert (order.subtotal_amount, order.shipping_amount, order.total_amount) == (29_700, 1_800, 31_500)


async def test_an_entry_of_the_address_book_is_copied(shop: Shop, session: AsyncSession) -> None:
    account = await create_account(session)
    address = await create_address(session, account, city="宁波市")
    to_entry = RequestedDelivery(ShippingMethod.STANDARD, address_id=address.id)
    await create_order(session, account=account, deliveries=[to_entry])
    address.city = "温州市"
    delivery = (await session.scalars(select(Delivery))).one()
    await session.commit()

    assert delivery.city == "宁波市"


async def test_an_order_paid_at_the_door_is_confirmed_at_once(shop: Shop, session: AsyncSession) -> None:
    order = await create_order(session, payments={CASH: None})
    events = await events_of(session, order)
    await session.commit()

    assert (order.status, order.payment_status) == (OrderStatus.CONFIRMED, OrderPaymentStatus.UNPAID)
    assert (order.payment_due_at, order.confirmed_at) == (None, NOW)
    assert events == ["order.placed", "order.confirmed"]


async def test_an_order_that_costs_nothing_needs_no_payment(shop: Shop, session: AsyncSession) -> None:
    variant = await a_variant(session)
    coupon = await create_coupon(session, amount=50_000)
    order = await create_order(session, lines=[(variant, 1)], coupon_code=coupon.code)
    assert await audit_books(session) == []
    await session.commit()

    assert (order.total_amount, order.discount_amount) == (0, 9_900)
    assert (order.status, order.payment_status) == (OrderStatus.CONFIRMED, OrderPaymentStatus.PAID)


async def test_a_coupon_is_shared_among_the_lines_and_counted(shop: Shop, session: AsyncSession) -> None:
    coupon = await create_coupon(session, amount=1_000, usage_limit=1)
    lines = [(await a_variant(session), 1) for _ in range(3)]
    order = await create_order(session, lines=lines, coupon_code=(coupon.code or "").lower())
    discounts = (await session.scalars(select(OrderLine.discount_amount).order_by(OrderLine.position))).all()
    used = await session.scalar(select(Promotion.used))
    await session.commit()

    assert (order.discount_amount, order.total_amount, used) == (1_000, 28_700, 1)
    assert discounts == [334, 333, 333]


async def test_the_cart_is_ordered_and_emptied(shop: Shop, session: AsyncSession) -> None:
    account, variant = await create_account(session), await a_variant(session)
    coupon = await create_coupon(session, percent=10)
    cart = await create_cart(session, account, lines={variant: 2})
    cart.coupon_codes, version = [coupon.code or ""], cart.version
    await session.flush()
    request = OrderRequest(CartOwner(account.id, None), deliveries=[deliver_to(HANGZHOU)])
    plan = await plan_for(session, request, {SANDBOX: None})
    order = await place(session, request, plan)
    lines = await session.scalar(select(func.count()).select_from(CartLine))
    cart = (await session.scalars(select(Cart))).one()
    await session.commit()

    assert (order.subtotal_amount, order.discount_amount) == (19_800, 1_980)
    assert (lines, cart.coupon_codes, cart.version) == (0, [], version + 1)


async def test_the_same_key_gives_the_same_order(shop: Shop, session: AsyncSession) -> None:
    account, variant = await create_account(session), await a_variant(session)
    request = request_for(account, [(variant, 1)])
    plan = await plan_for(session, request, {SANDBOX: None})
    first = await place(session, request, plan, number="O1")
    await session.commit()
    second = await place(session, request, plan, number="O2")
    orders = await session.scalar(select(func.count()).select_from(Order))
    assert await reserved_units(session, variant) == 1
    await session.commit()

    assert (first.id, second.number, orders) == (second.id, "O1", 1)


async def test_an_order_is_the_same_whether_or_not_an_old_cart_token_is_sent_along(
    shop: Shop, session: AsyncSession
) -> None:
    account = await create_account(session)
    request = request_for(account, [(await a_variant(session), 1)])
    plan = await plan_for(session, request, {SANDBOX: None})
    first = await place(session, request, plan)
    with_token = replace(request, owner=CartOwner(account.id, "the guest's"))
    again = await place(session, with_token, plan, number="O2")
    await session.commit()

    assert first.id == again.id


async def test_a_key_is_good_for_one_order_only(shop: Shop, session: AsyncSession) -> None:
    account, variant = await create_account(session), await a_variant(session)
    request = request_for(account, [(variant, 1)])
    plan = await plan_for(session, request, {SANDBOX: None})
    await place(session, request, plan)
    await session.commit()

    with pytest.raises(DomainError) as refused:
        await place(session, request, replace(plan, note="other"), number="O2")
    await session.rollback()

    assert refused.value.code is ErrorCode.KEY_REUSED
    assert await session.scalar(select(func.count()).select_from(Order)) == 1
    await session.commit()


async def test_two_customers_may_use_the_same_key(shop: Shop, session: AsyncSession) -> None:
    variant = await a_variant(session)
    for number in ("O1", "O2"):
        request = request_for(await create_account(session), [(variant, 1)])
        plan = await plan_for(session, request, {SANDBOX: None}, key="the same")
        await place(session, request, plan, number=number)
    assert await session.scalar(select(func.count()).select_from(Order)) == 2
    await session.commit()


@pytest.mark.parametrize("number_of_lines", [3, 30])
@pytest.mark.parametrize(
    ("promotions", "sqlite", "postgresql"),
    [
        pytest.param((), 11, 9, id="no promotion"),
        pytest.param(("automatic",), 12, 10, id="an automatic promotion"),
        pytest.param(("coupon",), 14, 12, id="a coupon with limits"),
        pytest.param(("automatic", "coupon", "flash sale"), 14, 12, id="all together"),
    ],
)
async def test_placing_takes_at_most_fifteen_statements_and_one_for_cash_however_many_the_lines(
    shop: Shop, promotions: Sequence[str], sqlite: int, postgresql: int, number_of_lines: int
) -> None:
    async with shop.database.writes.begin() as session:
        await create_order(session)
        account = await create_account(session)
        address = await create_address(session, account)
        variants = [await a_variant(session) for _ in range(number_of_lines)]
        cart = await create_cart(session, account, lines=dict.fromkeys(variants, 2))
        halves = [(variant, 1) for variant in variants]
        deliveries = [deliver_to(HANGZHOU, halves), deliver_to(CHENGDU, halves)]
        if "automatic" in promotions:
            await create_percent(session, 5)
        if "coupon" in promotions:
            coupon = await create_coupon(session, usage_limit=9, usage_limit_per_buyer=1)
            cart.coupon_codes = [coupon.code or ""]
        if "flash sale" in promotions:
            await create_flash_sale(session, variants[0], price=5_000, share=9, per_buyer=2)
        request = OrderRequest(CartOwner(account.id, None), deliveries=deliveries)
        from_book = replace(deliveries[0], postal=None, address_id=address.id)
        from_address_book = replace(request, deliveries=[from_book, deliveries[1]])
        plan = await plan_for(session, request, {SANDBOX: None, CASH: 1_000})

    expected = sqlite if shop.database.dialect == "sqlite" else postgresql
    for entries, each in enumerate((request, from_address_book)):
        with count_statements(shop) as counted:
            async with shop.database.writes() as session:
                order = await place(session, each, plan)
                used = await count_uses(session, order)

        for_cash = sum("FROM cash_rules" in text for text in counted.texts)
        assert counted.total - 1 - for_cash == expected + entries <= 15, counted.texts
        assert for_cash == 1
        assert used == len(promotions)


async def count_uses(session: AsyncSession, order: Order) -> int:
    return (
        await session.scalar(
            select(func.count()).select_from(PromotionUse).where(PromotionUse.order_id == order.id)
        )
    ) or 0


async def test_a_quote_lists_every_problem_of_an_order_and_changes_nothing(
    shop: Shop, session: AsyncSession
) -> None:
    account = await create_account(session)
    scarce = await a_variant(session, stock={"MAIN": 1})
    gone = await a_variant(session, status=ProductStatus.ARCHIVED)
    request = request_for(account, [(gone, 1), (scarce, 2)], coupon_codes=["NOSUCH"])
    await session.commit()
    with count_statements(shop) as counted:
        quote = await quote_order(session, request, now=NOW)
        await session.commit()

    assert [(problem.code, problem.field) for problem in quote.problems] == [
        (ErrorCode.NOT_FOR_SALE, ("lines", 0)),
        (ErrorCode.OUT_OF_STOCK, ("lines", 1, "quantity")),
        (ErrorCode.COUPON_REFUSED, ("coupon_codes", 0)),
    ]
    assert (quote.total.minor, [line.total.minor for line in quote.lines]) == (19_800, [19_800])
    assert all(text.startswith(("SELECT", "BEGIN")) for text in counted.texts)


async def test_an_order_is_placed_for_what_was_quoted(shop: Shop, session: AsyncSession) -> None:
    account = await create_account(session)
    light = await a_variant(session, prices={CurrencyCode.CNY: 3_333}, weight_grams=1_500)
    coupon = await create_coupon(session, percent=15)
    request = request_for(account, [(light, 2)], coupon_codes=[coupon.code], deliveries=[deliver_to(CHENGDU)])
    quote = await quote_order(session, request, now=NOW)
    order = await place(session, request, await plan_for(session, request, {SANDBOX: None}))
    await session.commit()

    assert (quote.subtotal.minor, quote.discount.minor, quote.shipping.minor) == (6_666, 1_000, 1_200)
    assert order.total == quote.total == Money(6_866, CurrencyCode.CNY)
