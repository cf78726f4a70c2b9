"""Waves, open parcels and box types."""

from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.shipment.boxes import BoxTypeDraft, save_box_type
from domain.shipment.open_parcels import open_parcel
from domain.shipment.waves import WaveDraft, open_wave
from models import BoxType, OpenParcel, Order, Wave
from tests.factories.shipment import NOW, line_of

NUMBERS = count(1)
WAVE_LIMIT = 50
SHANGHAI = ZoneInfo("Asia/Shanghai")


async def create_box_type(session: AsyncSession, **given: Any) -> BoxType:
    """A box of 300 x 200 x 100 mm for all warehouses, unless something else is given."""
    terms: dict[str, Any] = {
        "name": "Box",
        "warehouse_id": None,
        "length_mm": 300,
        "width_mm": 200,
        "height_mm": 100,
        "max_weight_grams": 5_000,
        "own_weight_grams": 100,
    }
    return await save_box_type(session, BoxTypeDraft(**terms | given), box_type_id=None, version=None)


async def create_open_parcel(session: AsyncSession, order: Order) -> OpenParcel:
    """An open parcel for the first delivery of an order."""
    line = await line_of(session, order)
    return await open_parcel(session, line.delivery_id, warehouse_id=line.warehouse_id, cause=Cause(NOW))


async def create_wave(session: AsyncSession, order: Order, **given: Any) -> Wave:
    """A wave of all that can be picked in the warehouse of an order."""
    line = await line_of(session, order)
    return await open_wave(
        session,
        WaveDraft(line.warehouse_id, **given),
        number=f"W{next(NUMBERS):08}",
        limit=WAVE_LIMIT,
        zone=SHANGHAI,
        cause=Cause(NOW),
    )
