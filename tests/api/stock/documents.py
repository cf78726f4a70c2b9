"""Documents about stock and warehouses."""

from typing import Any

from resolvers.ids import global_id

PLACE = """
mutation ($input: OrderPlaceInput!) { orderPlace(input: $input) { order { id } userErrors { code } } }
"""


def order_of(variant_id: int, address_id: int, quantity: int = 1) -> dict[str, Any]:
    return {
        "lines": [{"variantId": global_id("Variant", variant_id), "quantity": quantity}],
        "deliveries": [{"address": {"id": global_id("Address", address_id)}, "method": "STANDARD"}],
        "payments": [{"method": "SANDBOX", "amount": {"amount": str(99 * quantity), "currencyCode": "CNY"}}],
        "idempotencyKey": f"buyer-{address_id}",
    }
