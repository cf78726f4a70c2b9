"""Resolvers of calls to carriers."""

from collections.abc import Sequence

from models import Account, CarrierCall, Order
from resolvers.context import Info
from resolvers.guard import Permission


async def order_carrier_calls(orders: Sequence[Order], info: Info) -> list[Sequence[CarrierCall] | None]:
    """What carriers were asked about its parcels and waybills, the newest 200 first; null for who does not
    see all parcels.
    """
    if not info.context.viewer.may(Permission.SHIPMENT_LIST):
        return [None] * len(orders)
    return list(await info.context.load.order_carrier_calls.load_many([order.id for order in orders]))


async def carrier_call_actors(calls: Sequence[CarrierCall], info: Info) -> list[Account | None]:
    """Who has started it; null where it fell due."""
    actor_ids = list({call.actor_id for call in calls if call.actor_id is not None})
    accounts = await info.context.load.account.load_many(actor_ids)
    found = dict(zip(actor_ids, accounts, strict=True))
    return [found.get(call.actor_id or 0) for call in calls]
