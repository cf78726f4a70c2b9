"""Merging two carts: what is capped is remembered, and nothing is lost."""

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from events.shop import Shop
from models import CurrencyCode, Product, ProductStatus, Variant
from tests.api.cart.documents import create_variants, refusal
from tests.api.cart.saved_documents import ADD_MANY, DISMISS, RESTORE, SAVE, contents, guest_with, sign_in
from tests.clients import Client, Clients
from tests.factories.account import create_account
from tests.factories.cart import create_cart
from tests.given import id_of

VIEW = """{ cart {
  lines { id quantity variant { sku } warnings { code message mergedQuantity } }
  savedLines { id quantity variant { sku } warnings { code message mergedQuantity available } } } }"""


async def sign_in_with_saved(clients: Clients, tea: Variant, *, quantity: int) -> Client:
    """A customer who signs in after saving that many units for later as a guest."""
    guest, cart = await guest_with(clients, tea, quantity=quantity)
    assert (await guest.do(SAVE, id=cart["lines"][0]["id"]))["userErrors"] == []
    return await sign_in(clients, guest, "mei@example.com")


async def test_saved_lines_of_two_carts_add_up_to_the_limit_and_say_what_was_too_much(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    tea, cup = await create_variants(shop, 2, stock={"MAIN": 50_000})
    await create_account(session, email="mei@example.com")
    await session.commit()
    for variant, quantity in ((tea, 6_000), (tea, 6_000), (tea, 50), (cup, 4_000)):
        await sign_in_with_saved(clients, variant, quantity=quantity)
    customer = await sign_in_with_saved(clients, cup, quantity=5_999)

    saved = (await customer.get(VIEW))["cart"]["savedLines"]

    assert contents({"lines": saved}) == [("TEA-1", 10_000), ("TEA-2", 9_999)]
    assert [line["warnings"] for line in saved] == [
        [
            {
                "code": "MERGE_CAPPED",
                "message": "Together your carts held 12,050; 10,000 are in this one.",
                "mergedQuantity": 12_050,
                "available": 50_000,
            }
        ],
        [],
    ]
    await customer.get(DISMISS)
    assert [line["warnings"] for line in (await customer.get(VIEW))["cart"]["savedLines"]] == [[], []]


async def test_a_capped_saved_line_is_restored_with_the_capped_quantity(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    (tea,) = await create_variants(shop, stock={"MAIN": 50_000})
    await create_account(session, email="mei@example.com")
    await session.commit()
    await sign_in_with_saved(clients, tea, quantity=6_000)
    customer = await sign_in_with_saved(clients, tea, quantity=6_000)
    (saved,) = (await customer.get(VIEW))["cart"]["savedLines"]

    back = (await customer.do(RESTORE, id=saved["id"]))["cart"]

    assert (contents(back), back["savedLines"]) == ([("TEA-1", 10_000)], [])
    assert back["lines"][0]["warnings"] == []


async def test_a_capped_line_that_was_archived_has_lost_nothing_when_it_is_sold_again(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    (tea,) = await create_variants(shop)
    account = await create_account(session, email="mei@example.com")
    await create_cart(session, account, lines={tea: 8}, currency=CurrencyCode.CNY)
    await session.commit()
    guest, _ = await guest_with(clients, tea, quantity=3)
    customer = await sign_in(clients, guest, "mei@example.com")
    capped = (await customer.get(VIEW))["cart"]["lines"]

    async def set_status(status: ProductStatus) -> None:
        async with shop.database.writes.begin() as session:
            await session.execute(update(Product).values(status=status))

    await set_status(ProductStatus.ARCHIVED)
    gone = (await customer.get(VIEW))["cart"]["lines"]
    reply = await customer.do(ADD_MANY, lines=[{"variantId": id_of(tea)}])
    await set_status(ProductStatus.ACTIVE)
    again = (await customer.get(VIEW))["cart"]["lines"]

    assert [warning["code"] for warning in gone[0]["warnings"]] == ["NO_LONGER_SOLD"]
    assert refusal(reply)[0] == "NOT_FOR_SALE"
    assert again == capped
    assert contents({"lines": again}) == [("TEA-1", 10)]
    assert again[0]["warnings"] == [
        {
            "code": "MERGE_CAPPED",
            "message": "Together your carts held 11; 10 are in this one.",
            "mergedQuantity": 11,
        }
    ]
