"""Slugs of products and categories; a former slug leads to its owner until another one takes it."""

import re
import unicodedata
from collections.abc import Iterable

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.catalog.limits import SLUG_LIMIT
from models import Category, CategorySlug, Product, ProductSlug

FORMER_SLUGS: dict[type[Product | Category], tuple[type[ProductSlug | CategorySlug], str]] = {
    Product: (ProductSlug, "product_id"),
    Category: (CategorySlug, "category_id"),
}
"""The table of former slugs, and its column that names the owner."""


def slug_of(text: str) -> str:
    """`text` in lower case, everything but letters and digits replaced by single hyphens; may be ""."""
    plain = unicodedata.normalize("NFKC", text).lower()
    return re.sub(r"[\W_]+", "-", plain).strip("-")[:SLUG_LIMIT].rstrip("-")


async def change_slug(session: AsyncSession, row: Product | Category, slug: str) -> None:
    """Give a product or category another slug; the one it had is kept as a former slug."""
    if slug == row.slug:
        return
    table, owner = FORMER_SLUGS[type(row)]
    await release_former_slug(session, type(row), slug)
    session.add(table(**{"slug": row.slug, owner: row.id}))
    row.slug = slug
    await session.flush()


async def release_former_slug(session: AsyncSession, kind: type[Product | Category], slug: str) -> None:
    """Forget `slug` as a former slug, so that it can be given to something else."""
    table, _ = FORMER_SLUGS[kind]
    await session.execute(delete(table).where(table.slug == slug))


async def current_slugs(
    session: AsyncSession, kind: type[Product | Category], slugs: Iterable[str]
) -> dict[str, str]:
    """The present slugs of those that had one of `slugs` before, by the former one."""
    table, owner = FORMER_SLUGS[kind]
    current = select(table.slug, kind.slug).join(kind, kind.id == getattr(table, owner))
    rows = (await session.execute(current.where(table.slug.in_(list(slugs))))).all()
    return {row[0]: row[1] for row in rows}
