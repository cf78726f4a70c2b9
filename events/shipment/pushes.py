"""What carriers push is stored as what they answer is."""

from datetime import timedelta

from domain.shipment.tracking import find_numbered, resubscribe
from domain.shipment.unhandled import Unhandled, record_unhandled
from events.shipment.polling import facts_of, store_facts
from events.types import Resources
from gateways.carrier.protocol import TrackingPush
from models import CarrierConnection, UnhandledKind

SUBSCRIBED_AGAIN_AFTER = timedelta(minutes=35)
"""kuaidi100 takes a number again half an hour after it has given up."""


async def take_push(resources: Resources, connection: CarrierConnection, push: TrackingPush) -> None:
    """Store what a genuine push reports; one of an unknown parcel is kept as it came, and counted."""
    shipment_id = await find_pushed(resources, connection, push)
    if shipment_id is None:
        detail = "; ".join(
            f"{each.occurred_at.isoformat()} {each.code} {each.description}" for each in push.events
        )
        unhandled = Unhandled(UnhandledKind.UNKNOWN_PARCEL, detail, push.tracking_number)
        async with resources.database.writes.begin() as session:
            await record_unhandled(session, connection, [unhandled], now=resources.clock())
        return
    if push.events:
        await store_facts(resources, shipment_id, connection, facts_of(push.events))
    if push.new_company_code or push.subscribe_again:
        async with resources.database.writes.begin() as session:
            await resubscribe(
                session,
                shipment_id,
                company_code=push.new_company_code or None,
                poll_at=resources.clock() + SUBSCRIBED_AGAIN_AFTER,
            )
    resources.wake_relay()


async def find_pushed(resources: Resources, connection: CarrierConnection, push: TrackingPush) -> int | None:
    """The parcel with the number of a push; of several, that whose carrier has the code of the push."""
    async with resources.database.reads() as session:
        rows = await find_numbered(session, connection, push.tracking_number)
    same = [row for row in rows if push.company_code in {row[1], row[2]}]
    best = same or rows
    return best[0][0] if best else None
