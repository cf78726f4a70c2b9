"""Refusals of orders; a refused order leaves nothing behind."""

from dataclasses import replace

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cart import CartOwner, add_to_cart
from domain.cause import Cause
from domain.errors import DomainError, ErrorCode
from domain.order import (
    OrderRequest,
    OrderTerms,
    PaymentPlan,
    PlannedPayment,
    RequestedDelivery,
    RequestedLine,
    quote_order,
)
from events.shop import Shop
from models import (
    Cart,
    CurrencyCode,
    Delivery,
    DeliveryLine,
    Event,
    Money,
    Order,
    OrderLine,
    Payment,
    PaymentMethod,
    Product,
    ProductStatus,
    Promotion,
    ShippingMethod,
    StockLevel,
    Subject,
)
from tests.factories.account import create_account, create_address
from tests.factories.cart import create_cart, create_coupon
from tests.factories.order import (
    CASH,
    HANGZHOU,
    NOW,
    PAY_WITHIN,
    SANDBOX,
    TERMS,
    a_variant,
    deliver_to,
    place,
    plan_for,
    request_for,
)


async def refusal(
    shop: Shop, request: OrderRequest, plan: PaymentPlan, *, terms: OrderTerms = TERMS
) -> DomainError:
    """The refusal of an order, of which nothing may be left behind."""
    with pytest.raises(DomainError) as refused:
        async with shop.database.writes.begin() as session:
            await place(session, request, plan, terms=terms)
    async with shop.database.reads() as session:
        for table in (Order, OrderLine, Delivery, DeliveryLine, Payment):
            assert await session.scalar(select(func.count()).select_from(table)) == 0
        assert await session.scalar(select(func.sum(StockLevel.reserved))) in (0, None)
        assert await session.scalar(select(func.count()).where(Event.subject == Subject.ORDER)) == 0
    return refused.value


@pytest.mark.parametrize(
    ("spread", "message"),
    [
        ([1, 1], "1 of Oolong tea have no address."),
        ([2, 2], "1 of Oolong tea have an address too many."),
    ],
)
async def test_every_unit_goes_to_exactly_one_address(
    shop: Shop, session: AsyncSession, spread: list[int], message: str
) -> None:
    account, variant = await create_account(session), await a_variant(session)
    request = request_for(
        account,
        [(variant, 3)],
        deliveries=[deliver_to(HANGZHOU, [(variant, units)]) for units in spread],
    )
    plan = await plan_for(session, request, {SANDBOX: None})
    await session.commit()

    refused = await refusal(shop, request, plan)

    assert (refused.code, str(refused), refused.field) == (ErrorCode.INVALID, message, ("deliveries",))


async def test_what_a_delivery_has_but_the_order_has_not_is_refused_by_line(
    shop: Shop, session: AsyncSession
) -> None:
    account, variant, other = (
        await create_account(session),
        await a_variant(session),
        await a_variant(session),
    )
    request = request_for(
        account, [(variant, 1)], deliveries=[deliver_to(HANGZHOU, [(variant, 1), (other, 1)])]
    )
    plan = await plan_for(session, request, {SANDBOX: None})
    await session.commit()

    refused = await refusal(shop, request, plan)

    assert refused.field == ("deliveries", 0, "lines", 1, "variant_id")


async def test_a_line_has_one_to_ten_thousand_units(shop: Shop, session: AsyncSession) -> None:
    account, variant = await create_account(session), await a_variant(session, stock={"MAIN": 20_000})
    most = request_for(account, [(variant, 10_000)])
    fewer = request_for(account, [(variant, 9_999)])
    quotes = [await quote_order(session, request, now=NOW) for request in (fewer, most)]
    await session.commit()
    assert [(quote.lines[0].quantity, quote.problems) for quote in quotes] == [(9_999, []), (10_000, [])]

    for quantity in (0, 10_001):
        too_many = replace(most, lines=[RequestedLine(variant.id, quantity)])
        refused = await refusal(shop, too_many, PaymentPlan([], "", "k"))
        assert (refused.code, str(refused), refused.field) == (
            ErrorCode.INVALID,
            "A quantity is between 1 and 10,000.",
            ("lines", 0, "quantity"),
        )


async def test_a_foreign_address_does_not_exist(shop: Shop, session: AsyncSession) -> None:
    account, other, variant = (
        await create_account(session),
        await create_account(session),
        await a_variant(session),
    )
    foreign = await create_address(session, other)
    to_entry = RequestedDelivery(ShippingMethod.STANDARD, address_id=foreign.id)
    request = request_for(account, [(variant, 1)], deliveries=[to_entry])
    await session.commit()

    refused = await refusal(shop, request, PaymentPlan([], "", "k"))

    assert (refused.code, refused.field) == (ErrorCode.NOT_FOUND, ("deliveries", 0, "address", "id"))
    assert str(refused) == "There is no such address."


async def test_payments_add_up_exactly(shop: Shop, session: AsyncSession) -> None:
    account, variant = await create_account(session), await a_variant(session)
    request = request_for(account, [(variant, 1)])
    plan = await plan_for(session, request, {SANDBOX: 9_850})
    await session.commit()

    refused = await refusal(shop, request, plan)

    assert (refused.code, refused.field) == (ErrorCode.AMOUNT_MISMATCH, ("payments",))
    assert str(refused) == "99.00 CNY is due, not 98.50 CNY: 0.50 CNY is missing."


@pytest.mark.parametrize(
    ("payment", "field"),
    [
        (PlannedPayment(PaymentMethod.WECHAT_PAY, Money(9_900, CurrencyCode.CNY)), "method"),
        (PlannedPayment(SANDBOX, Money(9_900, CurrencyCode.USD)), "amount"),
        (PlannedPayment(SANDBOX, Money(-100, CurrencyCode.CNY)), "amount"),
        (PlannedPayment(SANDBOX, Money(0, CurrencyCode.CNY)), "amount"),
    ],
)
async def test_a_payment_is_offered_and_in_the_orders_currency(
    shop: Shop, session: AsyncSession, payment: PlannedPayment, field: str
) -> None:
    account, variant = await create_account(session), await a_variant(session)
    request = request_for(account, [(variant, 1)])
    await session.commit()

    terms = OrderTerms(frozenset({SANDBOX}), PAY_WITHIN)
    refused = await refusal(shop, request, PaymentPlan([payment], "", "k"), terms=terms)

    assert (refused.code, refused.field) == (ErrorCode.INVALID, ("payments", 0, field))


async def test_a_courier_takes_only_so_much_cash(shop: Shop, session: AsyncSession) -> None:
    account = await create_account(session)
    variant = await a_variant(session, prices={CurrencyCode.CNY: 500_001})
    request = request_for(account, [(variant, 1)])
    plan = await plan_for(session, request, {CASH: None})
    await session.commit()

    refused = await refusal(shop, request, plan)

    assert (refused.code, refused.field) == (ErrorCode.LIMIT_REACHED, ("payments",))
    assert str(refused) == "At most 5,000.00 CNY can be paid at the door."


async def test_what_is_sold_out_is_named_with_what_is_left(shop: Shop, session: AsyncSession) -> None:
    account = await create_account(session)
    scarce, plenty = (
        await a_variant(session, title="Rare tea", stock={"MAIN": 2}),
        await a_variant(session),
    )
    request = request_for(account, [(plenty, 1), (scarce, 3)])
    plan = await plan_for(session, request, {SANDBOX: None})
    await session.commit()

    refused = await refusal(shop, request, plan)

    assert (refused.code, refused.field) == (ErrorCode.OUT_OF_STOCK, ("lines", 1, "quantity"))
    assert str(refused) == "Only 2 of Rare tea left."


async def test_what_is_not_sold_any_more_is_refused(shop: Shop, session: AsyncSession) -> None:
    account = await create_account(session)
    archived = await a_variant(session, status=ProductStatus.ARCHIVED)
    request = request_for(account, [(archived, 1)])
    await session.commit()

    refused = await refusal(shop, request, PaymentPlan([], "", "k"))

    assert (refused.code, refused.field) == (ErrorCode.NOT_FOR_SALE, ("lines", 0))


async def test_what_has_no_price_in_a_currency_is_not_sold_in_it(shop: Shop, session: AsyncSession) -> None:
    account, variant = await create_account(session), await a_variant(session)
    request = request_for(account, [(variant, 1)], currency=CurrencyCode.USD)
    await session.commit()

    refused = await refusal(shop, request, PaymentPlan([], "", "k"))

    assert (refused.code, str(refused)) == (ErrorCode.NOT_FOR_SALE, "Oolong tea is not sold in USD.")


async def test_what_was_never_published_does_not_exist(shop: Shop, session: AsyncSession) -> None:
    account = await create_account(session)
    secret = await a_variant(session, title="Next year's phone", status=ProductStatus.DRAFT)
    request = request_for(account, [(secret, 1)])
    nothing = replace(request, lines=[RequestedLine(999_999, 1)])
    await session.commit()

    for asked in (request, nothing):
        refused = await refusal(shop, asked, PaymentPlan([], "", "k"))

        assert (refused.code, str(refused)) == (ErrorCode.NOT_FOUND, "There is no such variant.")
        assert refused.field == ("lines", 0, "variant_id")


async def test_what_was_withdrawn_stays_known_to_whoever_has_it_in_the_cart(
    shop: Shop, session: AsyncSession
) -> None:
    account, variant = await create_account(session), await a_variant(session)
    cart = await create_cart(session, account)
    await add_to_cart(session, cart, variant_id=variant.id, quantity=1, cause=Cause(NOW))
    product = await session.get_one(Product, variant.product_id)
    product.status = ProductStatus.DRAFT
    request = OrderRequest(CartOwner(account.id, None), deliveries=[deliver_to(HANGZHOU)])
    await session.commit()

    refused = await refusal(shop, request, PaymentPlan([], "", "k"))

    assert (refused.code, str(refused)) == (ErrorCode.NOT_FOR_SALE, "Oolong tea is not sold any more.")


async def test_a_coupon_that_is_used_up_is_refused(shop: Shop, session: AsyncSession) -> None:
    account, variant = await create_account(session), await a_variant(session)
    coupon = await create_coupon(session, usage_limit=1, used=1)
    request = request_for(account, [(variant, 1)], coupon_codes=[coupon.code])
    await session.commit()

    refused = await refusal(shop, request, PaymentPlan([], "", "k"))

    assert (refused.code, refused.field) == (ErrorCode.COUPON_REFUSED, ("coupon_codes", 0))
    assert await session.scalar(select(Promotion.used)) == 1
    await session.commit()


async def test_an_empty_cart_cannot_be_ordered(shop: Shop, session: AsyncSession) -> None:
    account = await create_account(session)
    cart = await create_cart(session, account)
    version = cart.version
    request = OrderRequest(CartOwner(account.id, None), deliveries=[deliver_to(HANGZHOU)])
    await session.commit()

    refused = await refusal(shop, request, PaymentPlan([], "", "k"))

    assert refused.code is ErrorCode.EMPTY
    assert await session.scalar(select(Cart.version)) == version
    await session.commit()
