"""A number that something else has is drawn again."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from domain.free_numbers import draw_free_numbers
from events.shop import Shop
from models import Shipment
from tests.factories.shipment import confirmed_order, pack


async def test_a_parcel_gets_a_number_that_no_other_one_has(shop: Shop, session: AsyncSession) -> None:
    taken, other = [
        each.number for each in await pack(session, await confirmed_order(session, quantity=2), 1, 1)
    ]
    drawn = iter([taken, "FREE-1", "FREE-1", other, "FREE-2"])

    assert await draw_free_numbers(session, Shipment.number, lambda: next(drawn), 2) == ["FREE-1", "FREE-2"]
    with pytest.raises(RuntimeError):
        await draw_free_numbers(session, Shipment.number, lambda: taken)
    await session.commit()
