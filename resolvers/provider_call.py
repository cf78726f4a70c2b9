"""Resolvers of calls to payment providers."""

from collections.abc import Sequence

from models import Account, Order, ProviderCall
from resolvers.context import Info
from resolvers.guard import Permission


async def order_provider_calls(orders: Sequence[Order], info: Info) -> list[Sequence[ProviderCall] | None]:
    """What payment providers were asked about it and have told, the newest 200 first; null for who gives no
    refunds.
    """
    if not info.context.viewer.may(Permission.REFUND):
        return [None] * len(orders)
    return list(await info.context.load.order_provider_calls.load_many([order.id for order in orders]))


async def call_actors(calls: Sequence[ProviderCall], info: Info) -> list[Account | None]:
    """Who has started it; null where it fell due, and where the provider spoke by itself."""
    actor_ids = list({call.actor_id for call in calls if call.actor_id is not None})
    accounts = await info.context.load.account.load_many(actor_ids)
    found = dict(zip(actor_ids, accounts, strict=True))
    return [found.get(call.actor_id or 0) for call in calls]
