"""A wave that is being picked, box types, and where things lie in the main warehouse of the demo shop."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.shipment.boxes import BoxTypeDraft, save_box_type
from domain.shipment.open_parcels import open_parcel
from domain.shipment.waves import WaveDraft, open_wave
from domain.stock import BinPlace, set_bin_places
from events.shop import Shop
from models import Account, Role, StockLevel, Variant, Warehouse, WavePart

WAVE_NUMBER = "WDEMO01"
WAVE_LIMIT = 3
"""Deliveries of the wave; the others wait for the next one."""
ROWS, PLACES_OF_A_ROW = "ABCDEFGH", 12
BOXES = (
    ("小号箱", 220, 160, 100, 3_000, 90),
    ("中号箱", 350, 250, 200, 10_000, 220),
    ("大号箱", 600, 400, 350, 25_000, 600),
)
"""Name, inner sides in millimetres, what it may weigh and weighs empty, in grams."""
MM3_PER_GRAM = 4_000
"""How large things are of which only the weight is known."""


async def open_first_wave(shop: Shop) -> None:
    """The warehouse has opened a wave, and a parcel into which nothing was scanned yet."""
    async with shop.database.writes.begin() as session:
        clerks = select(Account.id).where(Account.role == Role.WAREHOUSE).order_by(Account.id)
        cause = Cause(shop.clock(), (await session.scalars(clerks)).first())
        warehouse_id = (await session.scalars(select(Warehouse.id).order_by(Warehouse.position))).first() or 0
        await arrange_warehouse(session, warehouse_id)
        for box in BOXES:
            await save_box_type(session, box_type(warehouse_id, *box), box_type_id=None, version=None)
        wave = await open_wave(
            session,
            WaveDraft(warehouse_id),
            number=WAVE_NUMBER,
            limit=WAVE_LIMIT,
            zone=shop.settings.locale.zone,
            cause=cause,
        )
        last = select(WavePart.delivery_id).where(WavePart.wave_id == wave.id).order_by(WavePart.id.desc())
        delivery_id = (await session.scalars(last)).first() or 0
        await open_parcel(session, delivery_id, warehouse_id=warehouse_id, cause=cause)


def box_type(
    warehouse_id: int, name: str, length: int, width: int, height: int, most: int, own: int
) -> BoxTypeDraft:
    return BoxTypeDraft(
        name=name,
        warehouse_id=warehouse_id,
        length_mm=length,
        width_mm=width,
        height_mm=height,
        max_weight_grams=most,
        own_weight_grams=own,
    )


async def arrange_warehouse(session: AsyncSession, warehouse_id: int) -> None:
    """Give every variant of a warehouse a place and, where nobody knows its size, that of a cube."""
    found = await session.scalars(
        select(Variant)
        .join(StockLevel, StockLevel.variant_id == Variant.id)
        .where(StockLevel.warehouse_id == warehouse_id)
        .order_by(Variant.id)
    )
    variants = list(found)
    places = []
    for number, variant in enumerate(variants):
        row, place = divmod(number, PLACES_OF_A_ROW)
        places.append(BinPlace(variant.id, f"{ROWS[row % len(ROWS)]}-{place + 1}"))
        if variant.size is None:
            side = max(round((variant.weight_grams * MM3_PER_GRAM) ** (1 / 3)), 1)
            variant.length_mm = variant.width_mm = variant.height_mm = side
    await set_bin_places(session, warehouse_id, places)
