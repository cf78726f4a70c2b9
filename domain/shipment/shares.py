"""What carriers are counted for where shares decide: for what they carry, so that one that refuses or is down
for a while has its share all the same.
"""

from sqlalchemy.ext.asyncio import AsyncSession

from models import CarrierChoice, CarrierRule, Waybill, WaybillStatus

NOT_CARRIED = frozenset({WaybillStatus.REFUSED, WaybillStatus.CANCELLED})
"""Of such a waybill the carrier carries nothing."""


async def count_turn(session: AsyncSession, waybill: Waybill) -> None:
    """Count a booked waybill for its carrier, which a rule has only named after one that did not take it."""
    if waybill.choice is CarrierChoice.NEXT:
        await add_to_count(session, waybill, 1)


async def uncount_choice(session: AsyncSession, waybill: Waybill) -> None:
    """Take back what a waybill was counted for that its carrier does not carry."""
    was_next = waybill.choice is CarrierChoice.NEXT and waybill.booked_at is not None
    if waybill.choice is CarrierChoice.RULE or was_next:
        await add_to_count(session, waybill, -1)


async def add_to_count(session: AsyncSession, waybill: Waybill, parcels: int) -> None:
    if waybill.rule_id is None:
        return
    rule = await session.get_one(CarrierRule, waybill.rule_id, with_for_update=True, populate_existing=True)
    if waybill.carrier in rule.shares and rule.version == waybill.rule_version:
        counted = max(rule.chosen.get(waybill.carrier, 0) + parcels, 0)
        rule.chosen = rule.chosen | {waybill.carrier: counted}
