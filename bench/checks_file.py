"""Writes the configuration of the outside checks (WebSocket, event streams) from a running demo shop.

`python -m bench.checks_file URL [FILE] [METRICS_URL]` fills a cart of a guest and prints JSON, or writes
it to FILE: the headers of the guest, a query, a mutation, a subscription that ends and one that does not, and
the mutation that lets it send. With METRICS_URL the checks also look for operations that are left behind.
"""

import json
from pathlib import Path

import httpx

from bench.arguments import create_parser
from edge.commands.ask import execute_document

WAIT_SECONDS = 30.0
UPDATES = 3
"""After how many updates the finite subscription ends; the cart has more of them."""

SELLABLE = "{ products(first: 20) { nodes { variants { id availability { inStock } } } } }"
FILL = """mutation ($id: ID!) {
  cartLineAdd(input: { variantId: $id, quantity: 1 }) {
    cart { token version }
    userErrors { code message }
  }
}"""
GAUGE = "cartwheel_live_operations"


def fill_cart(http: httpx.Client) -> tuple[str, str]:
    """A variant in stock, and the token of a guest's cart that has more than UPDATES versions."""
    products = execute_document(http, SELLABLE)["data"]["products"]["nodes"]
    variants = [variant for product in products for variant in product["variants"]]
    variant: str = next(each["id"] for each in variants if each["availability"]["inStock"])
    token = ""
    for _ in range(UPDATES + 1):
        payload = execute_document(http, FILL, id=variant)["data"]["cartLineAdd"]
        assert not payload["userErrors"], payload
        token = token or payload["cart"]["token"]
        http.headers["X-Cart-Token"] = token
    return variant, token


def describe_shop(http: httpx.Client, metrics: str | None) -> dict[str, object]:
    """The configuration, by the keys that the checks read."""
    variant, token = fill_cart(http)
    credentials = {"X-Cart-Token": token}
    one = f'cartLineAdd(input: {{ variantId: "{variant}", quantity: 1 }})'
    return {
        "headers": credentials,
        "badConnectionParams": {"authorization": "Bearer forged.forged.forged"},
        "query": "{ __typename }",
        "clientQuery": "{ products(first: 3) { totalCount nodes { id title } } }",
        "mutation": f"mutation {{ {one} {{ cart {{ id version }} userErrors {{ code message }} }} }}",
        "subFinite": f"subscription {{ cartUpdates(after: 0, first: {UPDATES}) {{ name version }} }}",
        "subFiniteN": UPDATES,
        "subForever": "subscription { cartUpdates { name version } }",
        "subQuiet": "subscription { cartUpdates { name version } }",
        "trigger": f"mutation {{ {one} {{ userErrors {{ code }} }} }}",
        "activeQuery": None,
        "activeField": None,
        **({"activeMetric": {"url": metrics, "name": GAUGE}} if metrics else {}),
    }


def main() -> int:
    parser = create_parser(__doc__)
    parser.add_argument("url", help="where the shop answers GraphQL")
    parser.add_argument("file", nargs="?", type=Path, help="written in place of standard output")
    parser.add_argument("metrics", nargs="?", help="where the shop answers what it measures")
    given = parser.parse_args()
    with httpx.Client(base_url=given.url.removesuffix("/graphql"), timeout=WAIT_SECONDS) as http:
        text = json.dumps(describe_shop(http, given.metrics), indent=2) + "\n"
    if given.file:
        given.file.write_text(text, encoding="utf-8")
    else:
        print(text, end="")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
