"""Sellable variants for changes of carts."""

from collections.abc import Iterable
from functools import cache

from sqlalchemy.ext.asyncio import AsyncSession

from models import CurrencyCode, Product, ProductStatus, available_units
from models.sellable import SellableVariant, bound_variants, build_sellable, select_sellable
from models.sql.dialects import dialect_of
from models.sql.parameters import encode_rows
from models.sql.types import AnySelect
from text.messages import Localized


async def find_sellable(
    session: AsyncSession, variant_ids: Iterable[int], currency: CurrencyCode
) -> dict[int, SellableVariant]:
    """Variants by id as they are sold in this currency; drafts are left out like what does not exist."""
    dialect = dialect_of(session)
    variants = [{"variant_id": id, "currency": currency} for id in sorted(set(variant_ids))]
    if not variants:
        return {}
    rows = await session.execute(select_published(dialect), {"requested": encode_rows(variants, dialect)})
    found = [build_sellable(row, [row[-1]]) for row in rows]
    return {sellable.variant.id: sellable for sellable in found}


def label_of(sellable: SellableVariant) -> Localized:
    """What refusals call it, in the language of who reads them."""
    return Localized(sellable.name, sellable.names_by_language)


@cache
def select_published(dialect: str) -> AnySelect:
    """Bound variants that are no drafts, with their available units last."""
    published = select_sellable(bound_variants(dialect)).where(Product.status != ProductStatus.DRAFT)
    return published.add_columns(available_units())
