"""Carts with things for later, and how they are asked for."""

from typing import Any

from models import Variant
from tests.api.cart.asking import id_of
from tests.factories.account import PASSWORD
from tests.front import Client, Front

CART = """id version token totals { total { amount currencyCode } }
  lines { id quantity variant { sku } warnings {
    code message left wanted seenPrice { amount } price { amount } line { quantity } } }
  savedLines { id quantity unitPrice { amount } variant { sku } warnings { code line { id } } }"""
SEE = f"{{ cart {{ {CART} }} }}"
SIGN_IN = """mutation($input: SessionCreateInput!) { sessionCreate(input: $input) {
  session { accessToken } userErrors { code } } }"""
WATCH = (
    "subscription($after: Int) { cartUpdates(after: $after) { version name cart { lines { quantity } } } }"
)


def command(name: str) -> str:
    kind = f"{name[0].upper()}{name[1:]}Input"
    return f"""mutation($input: {kind}!) {{ {name}(input: $input) {{
      cart {{ {CART} }} userErrors {{ code message field }} }} }}"""


ADD, ADD_MANY = command("cartLineAdd"), command("cartLinesAdd")
UPDATE, SAVE, RESTORE = command("cartLineUpdate"), command("cartLineSave"), command("cartLineRestore")
DISMISS = f"mutation {{ cartWarningsDismiss {{ cart {{ {CART} }} userErrors {{ code }} }} }}"


def contents(cart: dict[str, Any], kind: str = "lines") -> list[tuple[str, int]]:
    return [(line["variant"]["sku"], line["quantity"]) for line in cart[kind]]


async def guest_with(front: Front, *variants: Variant, quantity: int = 1) -> tuple[Client, dict[str, Any]]:
    guest = front.guest()
    lines = [{"variantId": id_of(variant), "quantity": quantity} for variant in variants]
    cart = (await guest.do(ADD_MANY, lines=lines))["cart"]
    guest.headers["X-Cart-Token"] = cart["token"]
    return guest, cart


async def signed_in(front: Front, guest: Client, login: str) -> Client:
    reply = await guest.do(SIGN_IN, login=login, password=PASSWORD)
    return front.guest(Authorization=f"Bearer {reply['session']['accessToken']}")
