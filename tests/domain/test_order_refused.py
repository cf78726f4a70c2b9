"""What stands against an order, and that a refused one leaves nothing behind."""

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from domain.cart import Owner, add_to_cart
from domain.errors import DomainError, ErrorCode
from domain.order import (
    Promise,
    WantedDelivery,
    WantedLine,
    WantedPayment,
    Wish,
)
from events.shop import Shop
from models import (
    Cart,
    CurrencyCode,
    Delivery,
    DeliveryLine,
    Event,
    Money,
    Offer,
    Order,
    OrderLine,
    Payment,
    PaymentMethod,
    Product,
    ProductStatus,
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
    SANDBOX,
    a_variant,
    deliver_to,
    place,
    promise_for,
    wish_for,
)


async def refusal(shop: Shop, wish: Wish, promise: Promise) -> DomainError:
    """What an order is refused with; nothing of it may be left behind."""
    with pytest.raises(DomainError) as refused:
        async with shop.database.writes.begin() as session:
            await place(session, wish, promise)
    async with shop.database.reads() as session:
        for table in (Order, OrderLine, Delivery, DeliveryLine, Payment):
            assert await session.scalar(select(func.count()).select_from(table)) == 0
        assert await session.scalar(select(func.sum(StockLevel.reserved))) in (0, None)
        assert await session.scalar(select(func.count()).where(Event.subject == Subject.ORDER)) == 0
    return refused.value


@pytest.mark.parametrize(
    ("spread", "words"),
    [
        ([1, 1], "1 of Oolong tea have no address."),
        ([2, 2], "1 of Oolong tea have an address too many."),
    ],
)
async def test_every_unit_goes_to_exactly_one_address(shop: Shop, spread: list[int], words: str) -> None:
    async with shop.database.writes.begin() as session:
        account, variant = await create_account(session), await a_variant(session)
        wish = wish_for(
            account,
            [(variant, 3)],
            deliveries=[deliver_to(HANGZHOU, [(variant, units)]) for units in spread],
        )
        promise = await promise_for(session, wish, {SANDBOX: None})

    refused = await refusal(shop, wish, promise)

    assert (refused.code, str(refused), refused.field) == (ErrorCode.INVALID, words, ("deliveries",))


async def test_what_goes_nowhere_near_the_order_is_named(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        account, variant, other = (
            await create_account(session),
            await a_variant(session),
            await a_variant(session),
        )
        wish = wish_for(
            account, [(variant, 1)], deliveries=[deliver_to(HANGZHOU, [(variant, 1), (other, 1)])]
        )
        promise = await promise_for(session, wish, {SANDBOX: None})

    refused = await refusal(shop, wish, promise)

    assert refused.field == ("deliveries", 0, "lines", 1, "variant_id")


async def test_a_foreign_address_does_not_exist(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        account, other, variant = (
            await create_account(session),
            await create_account(session),
            await a_variant(session),
        )
        foreign = await create_address(session, other)
        wanted = WantedDelivery(ShippingMethod.STANDARD, address_id=foreign.id)
        wish = wish_for(account, [(variant, 1)], deliveries=[wanted])

    refused = await refusal(shop, wish, Promise([], "", "k"))

    assert (refused.code, refused.field) == (ErrorCode.NOT_FOUND, ("deliveries", 0, "address", "id"))
    assert str(refused) == "There is no such address."


async def test_payments_add_up_exactly(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        account, variant = await create_account(session), await a_variant(session)
        wish = wish_for(account, [(variant, 1)])
        promise = await promise_for(session, wish, {SANDBOX: 9_850})

    refused = await refusal(shop, wish, promise)

    assert (refused.code, refused.field) == (ErrorCode.AMOUNT_MISMATCH, ("payments",))
    assert str(refused) == "99.00 CNY is due, not 98.50 CNY: 0.50 CNY is missing."


@pytest.mark.parametrize(
    ("payment", "field"),
    [
        (WantedPayment(PaymentMethod.ALIPAY, Money(9_900, CurrencyCode.CNY)), "method"),
        (WantedPayment(SANDBOX, Money(9_900, CurrencyCode.USD)), "amount"),
        (WantedPayment(SANDBOX, Money(-100, CurrencyCode.CNY)), "amount"),
        (WantedPayment(SANDBOX, Money(0, CurrencyCode.CNY)), "amount"),
    ],
)
async def test_a_payment_is_offered_and_in_the_orders_currency(
    shop: Shop, payment: WantedPayment, field: str
) -> None:
    async with shop.database.writes.begin() as session:
        account, variant = await create_account(session), await a_variant(session)
        wish = wish_for(account, [(variant, 1)])

    refused = await refusal(shop, wish, Promise([payment], "", "k"))

    assert (refused.code, refused.field) == (ErrorCode.INVALID, ("payments", 0, field))


async def test_a_courier_takes_only_so_much_cash(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        account = await create_account(session)
        variant = await a_variant(session, prices={CurrencyCode.CNY: 500_001})
        wish = wish_for(account, [(variant, 1)])
        promise = await promise_for(session, wish, {CASH: None})

    refused = await refusal(shop, wish, promise)

    assert (refused.code, refused.field) == (ErrorCode.LIMIT_REACHED, ("payments",))
    assert str(refused) == "At most 5000.00 CNY can be paid at the door."


async def test_what_is_sold_out_is_named_with_what_is_left(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        account = await create_account(session)
        scarce, plenty = (
            await a_variant(session, title="Rare tea", stock={"MAIN": 2}),
            await a_variant(session),
        )
        wish = wish_for(account, [(plenty, 1), (scarce, 3)])
        promise = await promise_for(session, wish, {SANDBOX: None})

    refused = await refusal(shop, wish, promise)

    assert (refused.code, refused.field) == (ErrorCode.OUT_OF_STOCK, ("lines", 1, "quantity"))
    assert str(refused) == "Only 2 of Rare tea left."


async def test_what_is_not_sold_any_more_is_refused(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        account = await create_account(session)
        archived = await a_variant(session, status=ProductStatus.ARCHIVED)
        wish = wish_for(account, [(archived, 1)])

    refused = await refusal(shop, wish, Promise([], "", "k"))

    assert (refused.code, refused.field) == (ErrorCode.NOT_FOR_SALE, ("lines", 0))


async def test_what_has_no_price_in_a_currency_is_not_sold_in_it(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        account, variant = await create_account(session), await a_variant(session)
        wish = wish_for(account, [(variant, 1)], currency=CurrencyCode.USD)

    refused = await refusal(shop, wish, Promise([], "", "k"))

    assert (refused.code, str(refused)) == (ErrorCode.NOT_FOR_SALE, "Oolong tea is not sold in USD.")


async def test_what_was_never_published_does_not_exist(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        account = await create_account(session)
        secret = await a_variant(session, title="Next year's phone", status=ProductStatus.DRAFT)
        wish = wish_for(account, [(secret, 1)])
        nothing = replace(wish, lines=[WantedLine(999_999, 1)])

    for asked in (wish, nothing):
        refused = await refusal(shop, asked, Promise([], "", "k"))

        assert (refused.code, str(refused)) == (ErrorCode.NOT_FOUND, "There is no such variant.")
        assert refused.field == ("lines", 0, "variant_id")


async def test_what_was_withdrawn_stays_known_to_whoever_has_it_in_the_cart(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        account, variant = await create_account(session), await a_variant(session)
        cart = await create_cart(session, account)
        await add_to_cart(session, cart, variant_id=variant.id, quantity=1, now=NOW)
        product = await session.get_one(Product, variant.product_id)
        product.status = ProductStatus.DRAFT
        wish = Wish(Owner(account.id, None), deliveries=[deliver_to(HANGZHOU)])

    refused = await refusal(shop, wish, Promise([], "", "k"))

    assert (refused.code, str(refused)) == (ErrorCode.NOT_FOR_SALE, "Oolong tea is not sold any more.")


async def test_a_coupon_that_is_used_up_is_refused(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        account, variant = await create_account(session), await a_variant(session)
        coupon = await create_coupon(session, usage_limit=1, used=1)
        wish = wish_for(account, [(variant, 1)], coupon_codes=[coupon.code])

    refused = await refusal(shop, wish, Promise([], "", "k"))

    assert (refused.code, refused.field) == (ErrorCode.COUPON_REFUSED, ("coupon_codes", 0))
    async with shop.database.reads() as session:
        assert await session.scalar(select(Offer.used)) == 1


async def test_an_empty_cart_cannot_be_ordered(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        account = await create_account(session)
        cart = await create_cart(session, account)
        version = cart.version
        wish = Wish(Owner(account.id, None), deliveries=[deliver_to(HANGZHOU)])

    refused = await refusal(shop, wish, Promise([], "", "k"))

    assert refused.code is ErrorCode.EMPTY
    async with shop.database.reads() as session:
        assert await session.scalar(select(Cart.version)) == version
