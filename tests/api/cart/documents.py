"""Documents about carts, and carts to begin with."""

from collections.abc import Sequence
from typing import Any

from events.shop import Shop
from models import Variant
from tests.clients import Client, Clients
from tests.factories.catalog import create_product, variant_of
from tests.given import id_of

CART = """version currency lines { id quantity unitPrice { amount currencyCode } total { amount }
    variant { sku } warnings { code message available } }
  totals { subtotal { amount } discount { amount } total { amount currencyCode } }
  couponCodes warnings { code message line { quantity } }"""
VIEW = f"{{ cart {{ {CART} }} }}"
ADD = f"""mutation($input: CartLineAddInput!) {{ cartLineAdd(input: $input) {{
  cart {{ token {CART} }} userErrors {{ code message field }} }} }}"""
UPDATE = f"""mutation($input: CartLineUpdateInput!) {{ cartLineUpdate(input: $input) {{
  cart {{ token {CART} }} userErrors {{ code message field }} }} }}"""
REMOVE = f"""mutation($input: CartLineRemoveInput!) {{ cartLineRemove(input: $input) {{
  cart {{ {CART} }} userErrors {{ code message field }} }} }}"""
APPLY = f"""mutation($input: CartCouponApplyInput!) {{ cartCouponApply(input: $input) {{
  cart {{ {CART} }} userErrors {{ code message field }} }} }}"""


def refusal(payload: dict[str, Any]) -> tuple[str, str, list[str]]:
    (error,) = payload["userErrors"]
    return error["code"], error["message"], error["field"]


def quantities(cart: dict[str, Any]) -> list[int]:
    return [line["quantity"] for line in cart["lines"]]


async def create_variants(shop: Shop, count: int = 1, **facts: Any) -> Sequence[Variant]:
    """Variants of products at 99.00 CNY, ten of each."""
    async with shop.database.writes.begin() as session:
        return [
            await variant_of(session, await create_product(session, sku=f"TEA-{n}", **facts))
            for n in range(1, count + 1)
        ]


async def guest_with(clients: Clients, *variants: Variant) -> tuple[Client, dict[str, Any]]:
    """A guest whose cart has one unit of each."""
    guest, cart = clients.guest(), {}
    for variant in variants:
        cart = (await guest.do(ADD, variantId=id_of(variant)))["cart"]
        guest.headers.setdefault("X-Cart-Token", cart["token"])
    return guest, cart
