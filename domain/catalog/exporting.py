"""Products as drafts again: saving them in an empty shop makes the same products."""

from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.batches import batches
from domain.catalog.attributes import Meaning, all_meanings
from domain.catalog.drafts import PictureDraft, PriceDraft, ProductDraft, VariantDraft
from domain.catalog.pairing import options_of
from domain.catalog.stored import Stored, stored_by_id
from domain.catalog.tree import Path
from domain.stock import levels
from models import Category, Price, Product, StockLevel, Variant, Warehouse

PRODUCTS = 200
"""Products read at once."""


@dataclass(frozen=True, slots=True)
class Names:
    """What ids are called in a file."""

    categories: Mapping[int, Path]
    attributes: Mapping[int, Meaning]
    warehouses: Mapping[int, str]
    """The main one is called ""."""


async def export_products(session: AsyncSession) -> AsyncIterator[list[ProductDraft]]:
    """All products in the order they came, the archived ones, too; some at a time, and no more in memory."""
    names = await _names(session)
    ids = (await session.scalars(select(Product.id).order_by(Product.id))).all()
    for batch in batches(ids, PRODUCTS):
        yield await _drafts(session, batch, names)
        session.expunge_all()


async def draft_of(session: AsyncSession, stored: Stored) -> ProductDraft:
    """One product as it is, but for its stock: saving the draft leaves that alone."""
    return (await drafts_of(session, [stored]))[0]


async def drafts_of(session: AsyncSession, found: Iterable[Stored]) -> list[ProductDraft]:
    names = await _names(session)
    return [_draft(stored, {}, names) for stored in found]


async def _drafts(session: AsyncSession, ids: Collection[int], names: Names) -> list[ProductDraft]:
    found = await stored_by_id(session, ids)
    stock = await levels(session, [row.id for stored in found.values() for row in stored.on_sale])
    return [_draft(found[product_id], stock, names) for product_id in ids]


async def _names(session: AsyncSession) -> Names:
    categories = {row.id: row for row in await session.scalars(select(Category))}
    paths = {row.id: tuple(categories[above].name for above in row.line) for row in categories.values()}
    warehouses = await session.scalars(select(Warehouse).order_by(Warehouse.position, Warehouse.id))
    codes = {row.id: row.code if place else "" for place, row in enumerate(warehouses)}
    return Names(paths, await all_meanings(session), codes)


def _draft(stored: Stored, stock: Mapping[int, Sequence[StockLevel]], names: Names) -> ProductDraft:
    row = stored.product
    return ProductDraft(
        slug=row.slug,
        title=row.title,
        description=row.description,
        brand=row.brand,
        product_type=row.product_type,
        category_path=names.categories[row.category_id] if row.category_id else (),
        tags=tuple(row.tags),
        status=row.status,
        seo_title=row.seo_title,
        seo_description=row.seo_description,
        translations=dict(sorted(row.translations.items())),
        attributes=_attributes(stored, names),
        pictures=tuple(
            PictureDraft(media.url, media.alt, position)
            for position, media in enumerate(stored.pictures, start=1)
        ),
        variants=tuple(_variant(stored, each, stock.get(each.id, ()), names) for each in stored.on_sale),
        columns=dict(sorted(row.columns.items())),
    )


def _attributes(stored: Stored, names: Names) -> dict[str, tuple[str, ...]]:
    found: defaultdict[str, tuple[str, ...]] = defaultdict(tuple)
    for row in stored.attributes:
        meaning = names.attributes[row.attribute_id]
        found[meaning.attribute.code] += (meaning.write(row),)
    return dict(sorted(found.items()))


def _variant(stored: Stored, row: Variant, stock: Sequence[StockLevel], names: Names) -> VariantDraft:
    """Units of what is not counted say nothing, and are not told."""
    return VariantDraft(
        options=options_of(row),
        sku=row.sku,
        barcode=row.barcode,
        prices={currency: _price(price) for currency, price in stored.prices.get(row.id, {}).items()},
        weight_grams=row.weight_grams,
        weight_unit=row.weight_unit,
        stock={names.warehouses[level.warehouse_id]: level.on_hand for level in stock} if row.tracked else {},
        tracked=row.tracked,
        sells_when_out=row.sells_when_out,
        requires_shipping=row.requires_shipping,
        taxable=row.taxable,
        picture_url=stored.media[row.media_id].url if row.media_id else None,
        columns=dict(sorted(row.columns.items())),
    )


def _price(row: Price) -> PriceDraft:
    return PriceDraft(row.price, row.compare_at)
