"""Documents and helpers for parcels."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from events.shop import Shop
from models import Shipment
from tests.factories.shipment import create_shipment

Tick = Callable[[timedelta], None]

TO_PACK = """
query ($warehouse: ID) {
  deliveriesToPack(warehouseId: $warehouse) {
    totalCount nodes { id address { city } order { number } lines { id quantity packed orderLine { title } } }
  }
}
"""

DISPATCH = """
mutation ($input: ShipmentDispatchInput!) {
  shipmentDispatch(input: $input) {
    shipment { status carrier trackingNumber estimatedAt order { fulfilmentStatus } }
    userErrors { code message field }
  }
}
"""

TRACK = """
query ($id: ID, $number: String) {
  shipment(id: $id, number: $number) {
    number status deliveredAt estimatedAt stopsAhead
    position { latitude longitude at }
    lines { quantity orderLine { title } }
    events { status description location occurredAt position { latitude } }
    delivery { address { city } }
    order { number fulfilmentStatus receiptDueAt }
  }
}
"""


async def ship_parcel(shop: Shop, **given: Any) -> Shipment:
    async with shop.database.writes.begin() as session:
        return await create_shipment(session, **given)
