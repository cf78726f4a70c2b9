"""The part of an address that names a thing, and those it had before, which lead to it still."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.catalog.interchange import SLUG_LIMIT
from models import Category, CategorySlug, Product, ProductSlug

OLD_SLUGS: dict[type[Product | Category], tuple[type[Any], str]] = {
    Product: (ProductSlug, "product_id"),
    Category: (CategorySlug, "category_id"),
}


def slug_of(text: str) -> str:
    """`text` in lower case with everything but letters and digits turned into single hyphens; may be ""."""
    plain = unicodedata.normalize("NFKC", text).lower()
    return re.sub(r"[\W_]+", "-", plain).strip("-")[:SLUG_LIMIT].rstrip("-")


async def rename(session: AsyncSession, row: Product | Category, slug: str) -> None:
    """Another address for a thing; the one it had leads to it from now on."""
    if slug == row.slug:
        return
    table, owner = OLD_SLUGS[type(row)]
    await take_over(session, type(row), slug)
    session.add(table(**{"slug": row.slug, owner: row.id}))
    row.slug = slug
    await session.flush()


async def take_over(session: AsyncSession, kind: type[Product | Category], slug: str) -> None:
    """An old address is to name something else from now on."""
    table, _ = OLD_SLUGS[kind]
    await session.execute(delete(table).where(table.slug == slug))


async def heirs_of(
    session: AsyncSession, kind: type[Product | Category], slugs: Iterable[str]
) -> dict[str, str]:
    """The slugs of today of what had these before."""
    table, owner = OLD_SLUGS[kind]
    heirs = select(table.slug, kind.slug).join(kind, kind.id == getattr(table, owner))
    rows = (await session.execute(heirs.where(table.slug.in_(list(slugs))))).all()
    return {row[0]: row[1] for row in rows}
