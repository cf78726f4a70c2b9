from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import Invalid, NotFound
from domain.stock.movement import STOCK_LIMIT
from models import Variant


async def set_low_stock_threshold(session: AsyncSession, *, variant_id: int, units: int | None) -> Variant:
    """Set down to how many available units a variant is low; None for the shop's own threshold."""
    if units is not None and not 0 <= units <= STOCK_LIMIT:
        raise Invalid("A threshold is between 0 and {limit}.", limit=STOCK_LIMIT, field=("units",))
    updated = await session.scalar(
        update(Variant).where(Variant.id == variant_id).values(low_stock_at=units).returning(Variant)
    )
    if updated is None:
        raise NotFound("variant", field=("variant_id",))
    variant: Variant = updated
    return variant
