"""Two carts become one: what is capped is remembered, and nothing is lost."""

from sqlalchemy import update

from domain.cart import QUANTITY_LIMIT
from events.shop import Shop
from models import CurrencyCode, Product, ProductStatus, Variant
from tests.api.cart.asking import id_of, refusal, shelf
from tests.api.cart.keeping import ADD_MANY, DISMISS, RESTORE, SAVE, contents, guest_with, signed_in
from tests.factories.account import create_account
from tests.factories.cart import create_cart
from tests.front import Client, Front

SEE = """{ cart {
  lines { id quantity variant { sku } warnings { code message wanted } }
  savedLines { id quantity variant { sku } warnings { code message wanted left } } } }"""


async def signed_in_with_saved(front: Front, tea: Variant, *, quantity: int) -> Client:
    """Mei, who signs in after saving so many for later as a guest."""
    guest, cart = await guest_with(front, tea, quantity=quantity)
    assert (await guest.do(SAVE, lineId=cart["lines"][0]["id"]))["userErrors"] == []
    return await signed_in(front, guest, "mei@example.com")


async def test_what_two_carts_saved_for_later_adds_up_and_says_what_was_too_much(
    front: Front, shop: Shop
) -> None:
    tea, cup = await shelf(shop, 2, stock={"MAIN": 5_000})
    async with shop.database.writes.begin() as session:
        await create_account(session, email="mei@example.com")
    for variant, quantity in ((tea, 600), (tea, 600), (tea, 50), (cup, 400)):
        await signed_in_with_saved(front, variant, quantity=quantity)
    customer = await signed_in_with_saved(front, cup, quantity=599)

    saved = (await customer.get(SEE))["cart"]["savedLines"]

    assert contents({"lines": saved}) == [("TEA-1", QUANTITY_LIMIT), ("TEA-2", 999)]
    assert [line["warnings"] for line in saved] == [
        [
            {
                "code": "MERGE_CAPPED",
                "message": "Together your carts held 1250; 999 are in this one.",
                "wanted": 1_250,
                "left": 5_000,
            }
        ],
        [],
    ]
    await customer.get(DISMISS)
    assert [line["warnings"] for line in (await customer.get(SEE))["cart"]["savedLines"]] == [[], []]


async def test_what_a_merge_capped_comes_back_from_later_as_it_was_kept(front: Front, shop: Shop) -> None:
    (tea,) = await shelf(shop, stock={"MAIN": 5_000})
    async with shop.database.writes.begin() as session:
        await create_account(session, email="mei@example.com")
    await signed_in_with_saved(front, tea, quantity=600)
    customer = await signed_in_with_saved(front, tea, quantity=600)
    (saved,) = (await customer.get(SEE))["cart"]["savedLines"]

    back = (await customer.do(RESTORE, lineId=saved["id"]))["cart"]

    assert (contents(back), back["savedLines"]) == ([("TEA-1", QUANTITY_LIMIT)], [])
    assert back["lines"][0]["warnings"] == []


async def test_a_capped_line_that_is_sold_no_more_has_lost_nothing_when_it_is_sold_again(
    front: Front, shop: Shop
) -> None:
    (tea,) = await shelf(shop)
    async with shop.database.writes.begin() as session:
        account = await create_account(session, email="mei@example.com")
        await create_cart(session, account, lines={tea: 8}, currency=CurrencyCode.CNY)
    guest, _ = await guest_with(front, tea, quantity=3)
    customer = await signed_in(front, guest, "mei@example.com")
    capped = (await customer.get(SEE))["cart"]["lines"]

    async def sold(status: ProductStatus) -> None:
        async with shop.database.writes.begin() as session:
            await session.execute(update(Product).values(status=status))

    await sold(ProductStatus.ARCHIVED)
    gone = (await customer.get(SEE))["cart"]["lines"]
    reply = await customer.do(ADD_MANY, lines=[{"variantId": id_of(tea)}])
    await sold(ProductStatus.ACTIVE)
    again = (await customer.get(SEE))["cart"]["lines"]

    assert [warning["code"] for warning in gone[0]["warnings"]] == ["NO_LONGER_SOLD"]
    assert refusal(reply)[0] == "NOT_FOR_SALE"
    assert again == capped
    assert contents({"lines": again}) == [("TEA-1", 10)]
    assert again[0]["warnings"] == [
        {
            "code": "MERGE_CAPPED",
            "message": "Together your carts held 11; 10 are in this one.",
            "wanted": 11,
        }
    ]
