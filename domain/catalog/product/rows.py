"""Loading products with all rows that belong to them, in seven statements."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from models import CurrencyCode, Media, Price, Product, ProductAttribute, ProductMedia, Variant
from models.sql.batches import in_batches


@dataclass(slots=True)
class ProductRows:
    """One product and its rows; `variants` has the archived ones, too."""

    product: Product
    variants: list[Variant] = field(default_factory=list)
    prices: dict[int, dict[CurrencyCode, Price]] = field(default_factory=lambda: defaultdict(dict))
    """By the id of the variant."""
    product_media: list[ProductMedia] = field(default_factory=list)
    media: dict[int, Media] = field(default_factory=dict)
    attributes: list[ProductAttribute] = field(default_factory=list)

    @property
    def pictures(self) -> list[Media]:
        """The pictures of the product in their order."""
        return [self.media[each.media_id] for each in self.product_media]

    @property
    def on_sale(self) -> list[Variant]:
        """The variants that are not archived."""
        return [variant for variant in self.variants if variant.archived_at is None]


async def load_products_by_slug(session: AsyncSession, slugs: Collection[str]) -> dict[str, ProductRows]:
    """The products with these slugs, locked."""
    found = await _load_products(session, Product.slug.in_(slugs), lock=True)
    return {each.product.slug: each for each in found.values()}


async def load_products_by_id(
    session: AsyncSession, ids: Collection[int], *, lock: bool = False
) -> dict[int, ProductRows]:
    return await _load_products(session, Product.id.in_(ids), lock=lock)


async def _load_products(
    session: AsyncSession, condition: ColumnElement[bool], *, lock: bool
) -> dict[int, ProductRows]:
    statement = (
        select(Product).where(condition).order_by(Product.id).execution_options(populate_existing=True)
    )
    products = await session.scalars(statement.with_for_update() if lock else statement)
    found = {product.id: ProductRows(product) for product in products}
    ids = list(found)
    for variant in await _select_variants(session, ids):
        found[variant.product_id].variants.append(variant)
    for product_id, price in await _select_prices(session, ids):
        found[product_id].prices[price.variant_id][price.currency] = price
    for each in await _select_product_media(session, ids):
        found[each.product_id].product_media.append(each)
    for attribute in await _select_attributes(session, ids):
        found[attribute.product_id].attributes.append(attribute)
    media = await _select_media(session, found.values())
    for rows in found.values():
        rows.media = {media_id: media[media_id] for media_id in _media_ids_of(rows)}
    return found


async def _select_variants(session: AsyncSession, ids: Sequence[int]) -> Sequence[Variant]:
    statement = select(Variant).where(Variant.product_id.in_(ids))
    return (await session.scalars(statement.order_by(Variant.product_id, Variant.position, Variant.id))).all()


async def _select_prices(session: AsyncSession, ids: Sequence[int]) -> Sequence[tuple[int, Price]]:
    rows = await session.execute(
        select(Variant.product_id, Price)
        .join(Variant, Variant.id == Price.variant_id)
        .where(Variant.product_id.in_(ids))
        .order_by(Price.variant_id, Price.currency)
    )
    return [(product_id, price) for product_id, price in rows]


async def _select_product_media(session: AsyncSession, ids: Sequence[int]) -> Sequence[ProductMedia]:
    statement = select(ProductMedia).where(ProductMedia.product_id.in_(ids))
    return (await session.scalars(statement.order_by(ProductMedia.product_id, ProductMedia.position))).all()


async def _select_attributes(session: AsyncSession, ids: Sequence[int]) -> Sequence[ProductAttribute]:
    columns = (ProductAttribute.product_id, ProductAttribute.attribute_id, ProductAttribute.position)
    statement = select(ProductAttribute).where(ProductAttribute.product_id.in_(ids))
    return (await session.scalars(statement.order_by(*columns))).all()


async def _select_media(session: AsyncSession, products: Collection[ProductRows]) -> dict[int, Media]:
    ids = {media_id for rows in products for media_id in _media_ids_of(rows)}
    found: dict[int, Media] = {}
    for batch in in_batches(sorted(ids)):
        found |= {row.id: row for row in await session.scalars(select(Media).where(Media.id.in_(batch)))}
    return found


def _media_ids_of(rows: ProductRows) -> list[int]:
    shown = [each.media_id for each in rows.product_media]
    return shown + [variant.media_id for variant in rows.variants if variant.media_id is not None]
