from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import Invalid, NotFound
from domain.stock.change import STOCK_LIMIT
from models import Variant


async def set_threshold(session: AsyncSession, *, variant_id: int, units: int | None) -> Variant:
    """From how many units on a variant counts as low; None for as many as the shop says of any."""
    if units is not None and not 0 <= units <= STOCK_LIMIT:
        raise Invalid(f"A threshold is between 0 and {STOCK_LIMIT:,}.", field=("units",))
    found = await session.scalar(
        update(Variant).where(Variant.id == variant_id).values(low_stock_at=units).returning(Variant)
    )
    if found is None:
        raise NotFound("variant", field=("variant_id",))
    variant: Variant = found
    return variant
