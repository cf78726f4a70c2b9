"""New movements of stock."""

from collections.abc import Mapping

from sqlalchemy import func, select

from models import StockMovement, Variant
from models.database import Reads


async def latest_movement_id(reads: Reads) -> int:
    """The highest id of a stock movement; 0 when there is none."""
    async with reads() as session:
        return await session.scalar(select(func.max(StockMovement.id))) or 0


async def products_moved_above(reads: Reads, movement_id: int) -> Mapping[int, int]:
    """The product of each stock movement with a higher id, by the id of the movement."""
    async with reads() as session:
        rows = await session.execute(
            select(StockMovement.id, Variant.product_id)
            .join(Variant, Variant.id == StockMovement.variant_id)
            .where(StockMovement.id > movement_id)
        )
        return dict(iter(rows))
