"""Buying the lines of an old order again."""

from typing import Any

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from events.shop import Shop
from models import Account, CurrencyCode, Order, OrderStatus, Product, ProductStatus, StockLevel, Variant
from resolvers.ids import global_id
from tests.api.cart.saved_documents import contents
from tests.clients import Client, Clients
from tests.factories.cart import create_cart
from tests.factories.catalog import create_product, variant_of
from tests.factories.order import create_order
from tests.observe import count_statements

AGAIN = """mutation($input: OrderBuyAgainInput!) { orderBuyAgain(input: $input) {
  cart { lines { quantity variant { sku } unitPrice { amount } } }
  leftOut { line { sku } message } userErrors { code field } } }"""


async def create_bought(shop: Shop, account: Account, count: int) -> tuple[Order, list[Variant]]:
    """An order of two units each of that many variants."""
    async with shop.database.writes.begin() as session:
        products = [await create_product(session, sku=f"TEA-{n}") for n in range(1, count + 1)]
        variants = [await variant_of(session, product) for product in products]
        lines = [(variant, 2) for variant in variants]
        return await create_order(
            session, account=account, lines=lines, status=OrderStatus.CONFIRMED
        ), variants


async def buy_again(customer: Client, order: Order) -> dict[str, Any]:
    return await customer.do(AGAIN, id=global_id("Order", order.id))


async def test_what_is_still_sold_goes_into_the_cart_and_the_rest_is_named(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    customer = await clients.customer()
    assert customer.account
    order, (tea, out, ended) = await create_bought(shop, customer.account, 3)
    await create_cart(session, customer.account, lines={tea: 1}, currency=CurrencyCode.CNY)
    await session.execute(update(StockLevel).where(StockLevel.variant_id == out.id).values(reserved=9))
    await session.execute(
        update(Product).where(Product.id == ended.product_id).values(status=ProductStatus.ARCHIVED)
    )
    await session.commit()

    payload = await buy_again(customer, order)

    assert payload["userErrors"] == []
    assert contents(payload["cart"]) == [("TEA-1", 3)]
    assert payload["leftOut"] == [
        {"line": {"sku": "TEA-2"}, "message": "Only 1 of Oolong tea left."},
        {"line": {"sku": "TEA-3"}, "message": "Oolong tea is not for sale."},
    ]


async def test_an_order_of_somebody_else_cannot_be_bought_again(clients: Clients, shop: Shop) -> None:
    owner, other = await clients.customer(), await clients.customer()
    assert owner.account
    order, _ = await create_bought(shop, owner.account, 1)

    payload = await buy_again(other, order)

    assert payload == {
        "cart": None,
        "leftOut": None,
        "userErrors": [{"code": "NOT_FOUND", "field": ["id"]}],
    }


async def test_buying_much_again_takes_as_many_statements_as_buying_little(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    counts = []
    for count in (2, 20):
        customer = await clients.customer()
        assert customer.account
        await session.execute(update(Variant).values(sku=None))
        await session.commit()
        order, _ = await create_bought(shop, customer.account, count)
        with count_statements(shop) as counted:
            assert len(contents((await buy_again(customer, order))["cart"])) == count
        counts.append(counted.total)

    assert counts[0] == counts[1]
