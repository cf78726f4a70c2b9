"""What carriers ask for a parcel before one is chosen."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import strawberry

from events.shipment.quotes import QuoteAnswer, ask_quotes
from loaders.carrier import load_carriers
from models import Carrier, Money
from resolvers.context import Info
from resolvers.ids import row_id
from resolvers.inputs.shipment import PickupInput
from resolvers.shipment.dispatching import find_dispatchable


@dataclass(frozen=True, slots=True)
class ShipmentQuote:
    """What a carrier asks for one of its services, or why it says nothing."""

    carrier: Carrier
    service: str = ""
    price: Money | None = None
    promised_at: datetime | None = None
    error: str | None = None


async def shipment_quotes(
    info: Info,
    id: strawberry.ID,
    together: list[strawberry.ID] | None = None,
    pickup: PickupInput | None = None,
) -> Sequence[ShipmentQuote]:
    """What each carrier asks for a packed parcel, and when it would arrive; they are asked at once.

    A carrier that does not answer in time says so beside the others.

    id: the shipment
    together: further parcels of the same delivery that go along on the waybill
    pickup: when the carrier is to collect them; left out, at its next cut-off
    """
    shop = info.context.shop
    route = await find_dispatchable(info, row_id(id, "Shipment"))
    along = [row_id(each, "Shipment", field=("together",)) for each in together or []]
    window = pickup.draft(shop.settings.locale.zone) if pickup else None
    carriers = await load_carriers(shop.database.reads)
    by = info.context.cause.by
    answers = await ask_quotes(shop, carriers, [route.shipment.id, *along], window, by=by)
    return [quote for answer in answers for quote in quotes_of(answer)]


def quotes_of(answer: QuoteAnswer) -> list[ShipmentQuote]:
    if answer.error is not None:
        return [ShipmentQuote(answer.carrier, error=answer.error)]
    return [
        ShipmentQuote(answer.carrier, each.service, each.price, each.promised_at) for each in answer.quotes
    ]
