"""Documents about carts with saved lines, and carts to begin with."""

from typing import Any

from models import Variant
from tests.clients import Client, Clients
from tests.factories.account import PASSWORD
from tests.given import id_of

CART = """id version token totals { total { amount currencyCode } }
  lines { id quantity variant { sku } warnings {
    code message available mergedQuantity seenPrice { amount } price { amount } line { quantity } } }
  savedLines { id quantity unitPrice { amount } variant { sku } warnings { code line { id } } }"""
VIEW = f"{{ cart {{ {CART} }} }}"
SIGN_IN = """mutation($input: SessionCreateInput!) { sessionCreate(input: $input) {
  session { accessToken } userErrors { code } } }"""
WATCH = (
    "subscription($after: Int) { cartUpdates(after: $after) { version name cart { lines { quantity } } } }"
)


def mutation_of(name: str) -> str:
    kind = f"{name[0].upper()}{name[1:]}Input"
    return f"""mutation($input: {kind}!) {{ {name}(input: $input) {{
      cart {{ {CART} }} userErrors {{ code message field }} }} }}"""


ADD, ADD_MANY = mutation_of("cartLineAdd"), mutation_of("cartLinesAdd")
UPDATE, SAVE, RESTORE = (
    mutation_of("cartLineUpdate"),
    mutation_of("cartLineSave"),
    mutation_of("cartLineRestore"),
)
DISMISS = f"mutation {{ cartWarningsDismiss {{ cart {{ {CART} }} userErrors {{ code }} }} }}"


def contents(cart: dict[str, Any], kind: str = "lines") -> list[tuple[str, int]]:
    return [(line["variant"]["sku"], line["quantity"]) for line in cart[kind]]


async def guest_with(
    clients: Clients, *variants: Variant, quantity: int = 1
) -> tuple[Client, dict[str, Any]]:
    guest = clients.guest()
    lines = [{"variantId": id_of(variant), "quantity": quantity} for variant in variants]
    cart = (await guest.do(ADD_MANY, lines=lines))["cart"]
    guest.headers["X-Cart-Token"] = cart["token"]
    return guest, cart


async def sign_in(clients: Clients, guest: Client, login: str) -> Client:
    reply = await guest.do(SIGN_IN, login=login, password=PASSWORD)
    return clients.guest(Authorization=f"Bearer {reply['session']['accessToken']}")
