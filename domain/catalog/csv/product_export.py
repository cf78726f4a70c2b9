"""Exporting all products as drafts; importing them into an empty shop makes the same products."""

from collections.abc import AsyncIterator

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.catalog.product import ProductDraft, load_draft_names, load_drafts
from models import Product
from models.sql.batches import in_batches

PRODUCT_BATCH = 200
"""Products read at once."""


async def export_products(session: AsyncSession) -> AsyncIterator[list[ProductDraft]]:
    """All products by id, the archived ones included, in batches; no more than one batch is in memory."""
    names = await load_draft_names(session)
    ids = (await session.scalars(select(Product.id).order_by(Product.id))).all()
    for batch in in_batches(ids, PRODUCT_BATCH):
        yield await load_drafts(session, batch, names)
        session.expunge_all()
