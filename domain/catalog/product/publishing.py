"""Publishing many saved products at once."""

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import load_only

from domain.catalog.product.writing import set_status
from domain.cause import Cause
from domain.events import ProductPublished
from domain.outbox import record_all
from models import SOLD_STATUSES, Product, ProductStatus
from models.sql.batches import in_batches

COLUMNS = (
    Product.id,
    Product.status,
    Product.version,
    Product.published_at,
    Product.publish_as,
    Product.updated_at,
)


async def publish_saved(session: AsyncSession, statuses: Mapping[int, ProductStatus], *, cause: Cause) -> int:
    """Give products, by their ids, the statuses of their drafts; how many there were.

    One that somebody has published since it was saved stays as it is.
    """
    published = 0
    for batch in in_batches(sorted(statuses)):
        rows = await session.scalars(
            select(Product)
            .options(load_only(*COLUMNS))
            .where(Product.id.in_(batch), Product.status.not_in(SOLD_STATUSES))
            .order_by(Product.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        products = rows.all()
        for product in products:
            set_status(product, statuses[product.id], now=cause.now)
            product.updated_at = cause.now
        await record_all(session, [ProductPublished(product) for product in products], cause)
        await session.flush()
        published += len(products)
    return published
