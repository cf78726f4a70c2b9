"""Publishing many saved products at once."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.events import ProductPublished
from domain.outbox import record_all
from models import SOLD_STATUSES, Product, ProductStatus
from models.sql.batches import in_batches


async def publish_saved(session: AsyncSession, statuses: Mapping[int, ProductStatus], *, cause: Cause) -> int:
    """Give products, by their ids, the statuses of their drafts; how many there were.

    One that somebody has published since it was saved stays as it is. Four statements for a thousand, since
    everybody who writes to SQLite waits for them.
    """
    by_status: defaultdict[ProductStatus, list[int]] = defaultdict(list)
    for product_id in sorted(statuses):
        by_status[statuses[product_id]].append(product_id)
    return sum(
        [
            await _publish_batch(session, batch, status, cause=cause)
            for status, ids in by_status.items()
            for batch in in_batches(ids)
        ]
    )


async def _publish_batch(
    session: AsyncSession, ids: Sequence[int], status: ProductStatus, *, cause: Cause
) -> int:
    waiting = select(Product.id).where(Product.id.in_(ids), Product.status.not_in(SOLD_STATUSES))
    locked = (await session.scalars(waiting.order_by(Product.id).with_for_update())).all()
    listed_at = (
        func.coalesce(Product.published_at, cause.now)
        if status is ProductStatus.ACTIVE
        else Product.published_at
    )
    rows = await session.execute(
        update(Product)
        .where(Product.id.in_(locked))
        .values(
            status=status,
            publish_as=None,
            published_at=listed_at,
            updated_at=cause.now,
            version=Product.version + 1,
        )
        .returning(Product.id, Product.version)
        .execution_options(synchronize_session=False)
    )
    published = [
        ProductPublished(Product(id=product_id, version=version - 1, status=status))
        for product_id, version in sorted(rows.all())
    ]
    await record_all(session, published, cause)
    return len(published)
